import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/**
 * Rebuild and reconciliation of other resources than avtaler (ADR 69). What these saw and found lies in tables of their own,
 * by the text of the key: the version before this one reads those of avtaler as if there was nothing else.
 */
export class Ressursgjenoppbygging1795755131535 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'rebuild', REBUILD);
    await step(db, 'reconciliation', RECONCILIATION);
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'none of resources',
      `drop function klargjoer_ressursavstemming();
       drop table ressursavstemming_differanse, ressursavstemming, gjenoppbygging_ressurs_sett, gjenoppbygging_ressurs_usett;
       alter table gjenoppbygging drop column navngitt, drop column bekreftet;`,
    );
  }
}

const REBUILD = `
alter table gjenoppbygging add column navngitt timestamptz(6), add column bekreftet boolean not null default false;
comment on column gjenoppbygging.navngitt is 'Of a resource: when all was read, and what the topic does not tell of was named';
comment on column gjenoppbygging.bekreftet is 'Of a resource: somebody has said that so many may go';

create table gjenoppbygging_ressurs_sett (
  gjenoppbygging bigint not null references gjenoppbygging (id) on delete cascade,
  nokkel text not null,
  primary key (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_sett is 'Keys that the topic tells of, as read again or as the stream reads them meanwhile; emptied when it is over';
grant select, insert, delete on gjenoppbygging_ressurs_sett to datadeling_skriver;

create table gjenoppbygging_ressurs_usett (
  gjenoppbygging bigint not null references gjenoppbygging (id) on delete cascade,
  nokkel text not null,
  avgjort timestamptz(6),
  fjernet boolean not null default false,
  primary key (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_usett is 'Keys that are stored, and that the topic does not tell of any more';
comment on column gjenoppbygging_ressurs_usett.avgjort is 'When it was removed, or found to have been told of meanwhile';
grant select, insert on gjenoppbygging_ressurs_usett to datadeling_skriver;
grant update (avgjort, fjernet) on gjenoppbygging_ressurs_usett to datadeling_skriver;
`;

const RECONCILIATION = `
create table ressursavstemming (
  id bigint generated always as identity primary key,
  ressurs text not null,
  kilde text not null check (kilde in ('LISTE', 'TOPIC')),
  per timestamptz(6) not null,
  startet_av text not null,
  avsluttet timestamptz(6) not null default clock_timestamp(),
  antall_hos_kilden integer not null
);
comment on table ressursavstemming is 'As avstemming, of any other resource';
create index ressursavstemming_ressurs on ressursavstemming (ressurs, id);
grant select, insert, delete on ressursavstemming to datadeling_skriver;

create table ressursavstemming_differanse (
  avstemming bigint not null references ressursavstemming (id) on delete cascade,
  type text not null check (type in ('MANGLER', 'UTDATERT', 'FREMMED', 'NYERE', 'ULIK')),
  fersk boolean not null,
  nokkel text not null,
  sist_endret_hos_kilden timestamptz(6),
  sist_endret_her timestamptz(6),
  partisjon integer,
  kafka_offset bigint,
  epoke integer not null default 0,
  rettet timestamptz(6),
  primary key (avstemming, type, nokkel)
);
comment on table ressursavstemming_differanse is 'As avstemming_differanse, of any other resource';
comment on column ressursavstemming_differanse.type is 'ULIK: what is stored says otherwise than the message that is the newest on the topic';
grant select, insert on ressursavstemming_differanse to datadeling_skriver;
grant update (rettet) on ressursavstemming_differanse to datadeling_skriver;

create function klargjoer_ressursavstemming() returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  create temp table hos_kilden (nokkel text not null, sist_endret timestamptz(6) not null, innhold uuid);
  create temp table topicstand (nokkel text primary key, sist_endret timestamptz(6), slettet text,
    partisjon integer not null, kafka_offset bigint not null, epoke integer not null, skrevet bigint, minne text,
    innhold uuid);
  grant select, insert, maintain on pg_temp.hos_kilden to datadeling_skriver;
  grant select, insert, update on pg_temp.topicstand to datadeling_skriver;
end $$;
comment on function klargjoer_ressursavstemming() is 'As klargjoer_avstemming, of any other resource; innhold is of the values of its columns';
revoke execute on function klargjoer_ressursavstemming() from public;
grant execute on function klargjoer_ressursavstemming() to datadeling_skriver;
`;
