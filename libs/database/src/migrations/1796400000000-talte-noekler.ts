import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/** The first ten thousand keys of a rebuild are named; those beyond were counted again whenever they were met again. */
export class TalteNoekler1796400000000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'what is counted, and not named', COUNTED);
  }

  async down(db: QueryRunner): Promise<void> {
    await step(db, 'nothing of what is counted', 'drop table gjenoppbygging_ressurs_talt;');
  }
}

const COUNTED = `
create table gjenoppbygging_ressurs_talt (
  gjenoppbygging bigint not null references gjenoppbygging (id) on delete cascade,
  nokkel text not null,
  primary key (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_ressurs_talt is 'Keys of rows that were not what their messages say, beyond those that are named: each is counted once; emptied when it is over';
grant select, insert, delete on gjenoppbygging_ressurs_talt to datadeling_skriver;
`;
