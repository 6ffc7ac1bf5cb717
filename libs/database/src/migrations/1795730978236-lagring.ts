import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How the tables that never stop changing are kept in order (ADR 53): room on each page for the next version of its rows,
 * and a vacuum that comes after so many changes and not after a fifth of ten million rows.
 */
export class Lagring1795730978236 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table avtale set (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
        autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_cost_limit = 2000);
      alter table relasjon set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_limit = 2000);
      alter table avtale_versjon set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
        autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_cost_limit = 2000);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table avtale reset (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor,
        autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_cost_limit);
      alter table relasjon reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_limit);
      alter table avtale_versjon reset (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor,
        autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_cost_limit);
    `);
  }
}
