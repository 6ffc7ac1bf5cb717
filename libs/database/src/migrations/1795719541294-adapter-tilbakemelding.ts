import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, step } from '../migration-steps.ts';

/** What an adapter is told of what it sent: what is not known of it, what it came to, and what was last refused. */
export class AdapterTilbakemelding1795719541294 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'columns',
      `
      alter table adapter
        add column ukjente_felter text not null default 'MELD' check (ukjente_felter in ('MELD', 'AVVIS')),
        add column siste_feil jsonb;
      comment on column adapter.ukjente_felter is 'Whether what the contract does not know is told of in the answer, or refused';
      comment on column adapter.siste_feil is 'The last request of a sync that was refused: names of fields, and no values';
      alter table synk add column siste_feil jsonb;

      alter table synk_side
        add column merknader jsonb,
        add column avtaler uuid[],
        add column sist_endret timestamptz(6)[],
        add column endret integer,
        add column uendret integer,
        add column foreldet integer,
        add column parkert integer;
      comment on column synk_side.merknader is 'What the adapter was told of the entries: names of fields, and no values';
      comment on column synk_side.avtaler is 'Of the entries, with sist_endret of each (null: it deletes), until what they came to has been counted';
      comment on column synk_side.parkert is 'Entries that could not be stored; endret, uendret, foreldet and this are all entries, once they are counted';
      grant update (avtaler, sist_endret, endret, uendret, foreldet, parkert) on synk_side to datadeling_skriver;
    `,
    );
    await createIndexConcurrently(db, 'synk_side_ikke_talt', 'synk_side (synk_id) where avtaler is not null');
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'columns',
      `
      revoke update (avtaler, sist_endret, endret, uendret, foreldet, parkert) on synk_side from datadeling_skriver;
      drop index synk_side_ikke_talt;
      alter table synk_side drop column merknader, drop column avtaler, drop column sist_endret, drop column endret,
        drop column uendret, drop column foreldet, drop column parkert;
      alter table synk drop column siste_feil;
      alter table adapter drop column siste_feil, drop column ukjente_felter;
    `,
    );
  }
}
