import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/** What an action on many has tried in vain it neither tries nor counts again when it goes on in another process. */
export class ProevdSamlet1796400000100 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(db, 'tried by which action', TRIED);
  }

  async down(db: QueryRunner): Promise<void> {
    await step(db, 'tried by nobody', 'alter table parkert_melding drop column proevd_samlet;');
  }
}

const TRIED = `
alter table parkert_melding add column proevd_samlet bigint;
comment on column parkert_melding.proevd_samlet is 'The action on many (parkert_handling) that tried it last, in vain';
`;
