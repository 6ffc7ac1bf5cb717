import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/** A rebuild of a resource that changes nothing, and which of its rows were not what their messages say (ADR 72). */
export class Gjenoppbyggingsrapport1796000200000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'reports of a rebuild', REPORT);
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'no reports',
      'drop table gjenoppbygging_ressurs_rettet; alter table gjenoppbygging drop column rapport;',
    );
  }
}

const REPORT = `
alter table gjenoppbygging add column rapport boolean not null default false;
comment on column gjenoppbygging.rapport is 'Of a resource: nothing is changed, rettet and what was not seen are what would be';

create table gjenoppbygging_ressurs_rettet (
  gjenoppbygging bigint not null references gjenoppbygging (id) on delete cascade,
  nokkel text not null,
  primary key (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_rettet is 'Keys of rows that were not what their messages say, the first ten thousand of each rebuild';
grant select, insert on gjenoppbygging_ressurs_rettet to datadeling_skriver;
`;
