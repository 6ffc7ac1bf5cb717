import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, step } from '../migration-steps.ts';

/** What people on duty do: each action is kept, and nobody can take a line of it away again. */
export class Drift1763900300000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'actions',
      `
      alter table parkert_melding add column begrunnelse text;
      comment on column parkert_melding.begrunnelse is 'Why it was discarded, in the words of who did it';

      create table driftshandling (
        id bigint generated always as identity primary key,
        tidspunkt timestamptz(6) not null default clock_timestamp(),
        hvem text not null,
        klient text not null,
        handling text not null,
        gjelder text,
        antall integer,
        call_id text not null
      );
      comment on table driftshandling is 'Audit of operations: who did what, to what, to how many. antall is null until done';

      grant select, insert, update (antall) on driftshandling to datadeling_skriver;
    `,
    );
    await createIndexConcurrently(db, 'parkert_melding_tilstand', 'parkert_melding (tilstand, id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'actions',
      `
      drop table driftshandling;
      drop index parkert_melding_tilstand;
      alter table parkert_melding drop column begrunnelse;
    `,
    );
  }
}
