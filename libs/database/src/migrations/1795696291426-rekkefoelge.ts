import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, step } from '../migration-steps.ts';

/**
 * The place of a message becomes (epoch of the topic, partition, offset, time of its record), and what the topic removed
 * before it was read is known. What a version from before this one writes gets the defaults: the first epoch, no time.
 */
export class Rekkefoelge1795696291426 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    // One table at a time: whoever wants one of them does not wait for the others.
    await step(db, 'places', PLACES);
    await step(db, 'avtale', AVTALE);
    await step(db, 'avtale_versjon', 'alter table avtale_versjon add column kilde_epoke integer not null default 0');
    await step(db, 'parked', 'alter table parkert_melding add column epoke integer not null default 0');
    await createIndexConcurrently(
      db,
      'parkert_melding_sted_key',
      'parkert_melding (topic, epoke, partisjon, kafka_offset, avtrykk)',
      { unique: true },
    );
    await step(db, 'key of parked', KEY_OF_PARKED);
    await step(
      db,
      'functions',
      [
        GAPS,
        STAGING(', kilde_epoke as kjent_epoke, kilde_minne as kjent_minne, sist_endret as kjent_sist_endret'),
        RECONCILIATION(', epoke integer not null default 0, skrevet bigint, minne text'),
        BEFORE_DELETION,
        RETENTION(IS_BEFORE_DELETION),
      ].join('\n'),
    );
  }

  async down(db: QueryRunner): Promise<void> {
    const former = 'parkert_melding_topic_partisjon_kafka_offset_avtrykk_key';
    await createIndexConcurrently(db, former, 'parkert_melding (topic, partisjon, kafka_offset, avtrykk)', {
      unique: true,
    });
    await step(
      db,
      'functions',
      `
      ${STAGING('')}
      ${RECONCILIATION('')}
      ${RETENTION('p.partisjon <> a.kilde_partisjon or p.kafka_offset < a.kilde_offset')}
      drop function er_foer_sletting;
      drop trigger konsum_status_hull on konsum_status;
      drop function hold_igjen_ved_hull();
      drop table konsum_hull, topic_epoke;
      revoke delete on konsum_offset, konsum_status from datadeling_skriver;
      alter table avstemming_differanse drop column epoke;
      alter table synk drop column epoke;
      alter table gjenoppbygging drop column epoke;
      alter table konsum_offset drop column epoke;
    `,
    );
    await step(
      db,
      'avtale',
      `alter table avtale drop column kilde_epoke, drop column kilde_skrevet, drop column kilde_slett_foer,
        drop column kilde_minne`,
    );
    await step(db, 'avtale_versjon', 'alter table avtale_versjon drop column kilde_epoke');
    await step(
      db,
      'parked',
      `alter table parkert_melding drop constraint parkert_melding_sted_key, drop column epoke,
        add constraint ${former} unique using index ${former}`,
    );
  }
}

const PLACES = `
create table topic_epoke (
  topic text not null,
  epoke integer not null,
  topic_id text not null,
  foerst_sett timestamptz(6) not null default now(),
  primary key (topic, epoke),
  unique (topic, topic_id)
);
comment on table topic_epoke is
  'Each topic that has had the name, by its id in Kafka: what lies on one comes after everything that lay on those before it';
grant select, insert on topic_epoke to datadeling_skriver;

alter table konsum_offset add column epoke integer not null default 0;
comment on column konsum_offset.epoke is 'Of topic_epoke: of which topic of this name it is a position';
grant delete on konsum_offset, konsum_status to datadeling_skriver;

alter table avstemming_differanse add column epoke integer not null default 0;
alter table synk add column epoke integer not null default 0;
alter table gjenoppbygging add column epoke integer not null default 0;
comment on column synk.epoke is 'Of topic_epoke: of which topic start_offset is';
`;

const AVTALE = `
alter table avtale
  add column kilde_epoke integer not null default 0,
  add column kilde_skrevet bigint,
  add column kilde_slett_foer bigint,
  add column kilde_minne text;
comment on column avtale.kilde_skrevet is
  'Timestamp of the record that decided, ms since 1970; null: none, of a full sync''s deletion, or from before it was kept';
comment on column avtale.kilde_slett_foer is
  'Of a full sync''s deletion: the offset of its partition that it does not delete beyond';
comment on column avtale.kilde_minne is
  'Places of messages that decide nothing any more, and without which the order of arrival would matter; mostly null';
`;

const KEY_OF_PARKED = `
alter table parkert_melding drop constraint parkert_melding_topic_partisjon_kafka_offset_avtrykk_key,
  add constraint parkert_melding_sted_key unique using index parkert_melding_sted_key;
`;

const GAPS = `
create table konsum_hull (
  id bigint generated always as identity primary key,
  topic text not null,
  epoke integer not null,
  partisjon integer not null,
  fra_offset bigint not null,
  til_offset bigint not null,
  oppdaget timestamptz(6) not null default clock_timestamp(),
  oppdatert_til timestamptz(6),
  lukket timestamptz(6),
  lukket_av text
);
comment on table konsum_hull is
  'What the topic removed before it was read. Open until a reconciliation with the source''s list has made up for it';
comment on column konsum_hull.til_offset is 'The first that is not lost';
comment on column konsum_hull.oppdatert_til is
  'Everything published to the partition up to this moment was included: Data-Oppdatert promises no more while it is open';
comment on column konsum_hull.lukket_av is 'The reconciliation, or who closed it';
create index konsum_hull_aapne on konsum_hull (topic, partisjon) where lukket is null;
grant select on konsum_hull to datadeling_leser;
grant select, insert on konsum_hull to datadeling_skriver;
grant update (lukket, lukket_av) on konsum_hull to datadeling_skriver;

create function hold_igjen_ved_hull() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  aapne integer;
  til timestamptz;
begin
  select count(*), case when bool_and(oppdatert_til is not null) then min(oppdatert_til) end into aapne, til
  from public.konsum_hull where topic = new.topic and partisjon = new.partisjon and lukket is null;
  if aapne > 0 and (til is null or new.oppdatert_til > til) then new.oppdatert_til := til; end if;
  return new;
end $$;
comment on function hold_igjen_ved_hull() is
  'Whatever version writes it: while something is lost, what was published after it is not said to be included';
create trigger konsum_status_hull before insert or update on konsum_status
  for each row execute function hold_igjen_ved_hull();
`;

const STAGING = (known: string): string => `
create or replace function klargjoer_innlasting() returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  if to_regclass('pg_temp.inn') is not null then return; end if;
  -- Without the constraints of avtale: what it would refuse, the update shall refuse.
  create temp table inn on commit delete rows as
    select *, kilde_partisjon as kjent_partisjon, kilde_offset as kjent_offset${known} from public.avtale with no data;
  grant select, insert, delete on pg_temp.inn to datadeling_skriver;
end $$;
`;

const RECONCILIATION = (more: string): string => `
create or replace function klargjoer_avstemming() returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  create temp table hos_kilden (avtale_id uuid not null, sist_endret timestamptz(6) not null);
  create temp table topicstand (avtale_id uuid primary key, sist_endret timestamptz(6), slettet text,
    partisjon integer not null, kafka_offset bigint not null${more});
  grant select, insert, maintain on pg_temp.hos_kilden to datadeling_skriver;
  grant select, insert, update on pg_temp.topicstand to datadeling_skriver;
end $$;
`;

const BEFORE_DELETION = `
create function er_foer_sletting(
  meldings_epoke integer, meldings_partisjon integer, meldings_offset bigint, meldingen_skrevet timestamptz,
  epoke integer, partisjon integer, kafka_offset bigint, skrevet bigint, slett_foer bigint
) returns boolean language sql immutable set search_path = pg_catalog as $$
  select meldings_epoke < epoke or (meldings_epoke = epoke and case
    when slett_foer is not null then meldings_partisjon = partisjon and meldings_offset < least(slett_foer, kafka_offset)
    when meldings_partisjon = partisjon then meldings_offset < kafka_offset
    else coalesce(meldingen_skrevet <= to_timestamp(skrevet / 1000.0), true) end)
$$;
comment on function er_foer_sletting is
  'Whether a parked message lies before a deletion. One of a full sync spares all other partitions, and what came after it had begun';
`;

const IS_BEFORE_DELETION = `public.er_foer_sletting(p.epoke, p.partisjon, p.kafka_offset, p.skrevet,
      a.kilde_epoke, a.kilde_partisjon, a.kilde_offset, a.kilde_skrevet, a.kilde_slett_foer)`;

const RETENTION = (isBefore: string): string => `
create or replace function rydd_parkerte() returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  delete from public.parkert_melding where tilstand <> 'PARKERT' and behandlet < now() - interval '90 days';
  -- A version from before this one keeps the bytes of what it resolves.
  update public.parkert_melding
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = tilstand
  where tilstand <> 'PARKERT' and innhold_fjernet is null;
  -- Parked once more after it was deleted, or in two partitions at the same time.
  update public.parkert_melding p
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'AVTALE_SLETTET',
    tilstand = 'FORKASTET', behandlet = now(), begrunnelse = 'AVTALE_SLETTET'
  from public.avtale a
  where p.innhold_fjernet is null and a.avtale_id = any (p.avtaler) and a.slettet is not null
    and (${isBefore});
  update public.parkert_melding
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'FRIST'
  where tilstand = 'PARKERT' and innhold_fjernet is null and parkert < now() - interval '1 year';
end $$;
`;
