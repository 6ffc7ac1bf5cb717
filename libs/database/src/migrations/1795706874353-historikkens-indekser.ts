import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Every version that is stored was entered in eight indexes. Persons are looked up by their opaque id, employers by number,
 * and what else is asked of the history is read in the order of its pages (ADR 43).
 */
export class HistorikkensIndekser1795706874353 implements MigrationInterface {
  /** One at a time, without a lock that writers or readers would wait for; one that was interrupted is dropped again. */
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    // It waits for those that use the index, however long they take.
    await db.query('set statement_timeout = 0');
    try {
      for (const column of COLUMNS) await db.query(`drop index concurrently if exists avtale_versjon_${column}`);
    } finally {
      await db.query('reset statement_timeout');
    }
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      create index avtale_versjon_deltaker_fnr on avtale_versjon (deltaker_fnr);
      create index avtale_versjon_tiltakstype on avtale_versjon (tiltakstype, avtale_id);
      create index avtale_versjon_avtale_status on avtale_versjon (avtale_status, avtale_id);
      create index avtale_versjon_start_dato on avtale_versjon (start_dato);
      create index avtale_versjon_sist_endret on avtale_versjon (sist_endret);
    `);
  }
}

const COLUMNS = ['deltaker_fnr', 'tiltakstype', 'avtale_status', 'start_dato', 'sist_endret'];
