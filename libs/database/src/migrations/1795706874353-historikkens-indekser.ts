import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dropIndexConcurrently } from '../migration-steps.ts';

/**
 * Every version that is stored was entered in eight indexes. Persons are looked up by their opaque id, employers by number,
 * and what else is asked of the history is read in the order of its pages (ADR 43). No release has had the five that go
 * here: `Historikk` makes them no more.
 */
export class HistorikkensIndekser1795706874353 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    for (const column of COLUMNS) await dropIndexConcurrently(db, `avtale_versjon_${column}`);
  }

  async down(): Promise<void> {
    // What was there before it is there after it.
  }
}

const COLUMNS = ['deltaker_fnr', 'tiltakstype', 'avtale_status', 'start_dato', 'sist_endret'];
