import type { DataSource } from 'typeorm';
import { LOCKS } from './locks.ts';

/** Brings the schema up to date. Safe to call from several processes at once; the user must own the database. */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    // A migration that builds an index outlives the ordinary limit.
    await runner.query('set statement_timeout = 0');
    await runner.query(`select pg_advisory_lock(${LOCKS.MIGRATION})`);
    const run = await dataSource.runMigrations();
    return run.map((migration) => migration.name);
  } finally {
    await runner.query(`select pg_advisory_unlock(${LOCKS.MIGRATION})`).catch(() => undefined);
    await runner.query('reset statement_timeout').catch(() => undefined);
    await runner.release();
  }
}
