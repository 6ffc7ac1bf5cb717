import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/**
 * The person register is read anew beside its stream, and a batch of it that could not be read is replayed without what has
 * been said since (ADR 74). Opaque ids only.
 */
export class RegisterGjenoppbygging1796020000000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'rebuild of the person register', REBUILD);
    await step(db, 'batches that wait', BATCHES);
  }

  async down(db: QueryRunner): Promise<void> {
    await step(db, 'none of it', 'drop table gjenoppbygging_person, registernoekkel_siden, registerbunke;');
  }
}

const REBUILD = `
create table gjenoppbygging_person (
  gjenoppbygging bigint not null references gjenoppbygging (id) on delete cascade,
  nokkel uuid not null,
  identer uuid[] not null,
  primary key (gjenoppbygging, nokkel)
);
comment on table gjenoppbygging_person is 'What the topic of the person register says last of each key that has, or had, several idents; emptied when it is over';
grant select, insert, delete on gjenoppbygging_person to datadeling_skriver;
`;

const BATCHES = `
create table registerbunke (
  parkert bigint primary key,
  topic text not null,
  epoke integer not null,
  partisjon integer not null,
  kafka_offset bigint not null
);
comment on table registerbunke is 'Batches of the person register that could not be read, and wait: what is said of any key since is noted';
grant select, insert, delete on registerbunke to datadeling_skriver;

create table registernoekkel_siden (
  parkert bigint not null references registerbunke (parkert) on delete cascade,
  nokkel uuid not null,
  primary key (parkert, nokkel)
);
comment on table registernoekkel_siden is 'Keys that the register has told of since the batch: what it says of these is of no more use';
grant select, insert, delete on registernoekkel_siden to datadeling_skriver;
`;
