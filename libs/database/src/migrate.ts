import type { DataSource } from 'typeorm';

/** Any number, the same in every process: ingestors that start together take turns. */
const LOCK = 7_220_316;

/** Brings the schema up to date. Safe to call from several processes at once; the user must own the database. */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    // A migration that builds an index outlives the ordinary limit.
    await runner.query('set statement_timeout = 0');
    await runner.query('select pg_advisory_lock($1)', [LOCK]);
    const run = await dataSource.runMigrations();
    return run.map((migration) => migration.name);
  } finally {
    await runner.query('select pg_advisory_unlock($1)', [LOCK]).catch(() => undefined);
    await runner.query('reset statement_timeout').catch(() => undefined);
    await runner.release();
  }
}
