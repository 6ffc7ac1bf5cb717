import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/**
 * Rebuild of other resources than avtaler (ADR 69). What it saw, and did not see, lies in tables of their own, by the text of
 * the key: the version before this one reads those of avtaler as if there was nothing else.
 */
export class Ressursgjenoppbygging1795755131535 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'rebuild', REBUILD);
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'none of resources',
      `drop table gjenoppbygging_ressurs_sett, gjenoppbygging_ressurs_usett;
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
