import type { DataSource } from 'typeorm';
import { LOCKS } from './locks.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { refuseOlder, requireNoneTooOld } from './versions.ts';

/**
 * Brings the schema up to date. Safe to call from several processes at once; the user must own the database.
 *
 * @returns the migrations that were done
 * @throws ContractError while an ingestor is alive that is too old to write after this version
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    // A migration that builds an index outlives the ordinary limit.
    await runner.query('set statement_timeout = 0');
    await runner.query(`select pg_advisory_lock(${LOCKS.MIGRATION})`);
    await requireNoneTooOld(dataSource);
    // One that drops an index without a lock can't be in a transaction.
    const run = await dataSource.runMigrations({ transaction: 'each' });
    await refuseOlder(dataSource);
    return run.map((migration) => migration.name);
  } finally {
    await runner.query(`select pg_advisory_unlock(${LOCKS.MIGRATION})`).catch(() => undefined);
    await runner.query('reset statement_timeout').catch(() => undefined);
    await runner.release();
  }
}

/**
 * The migrations of this release that have not been done, for an app's own login. A schema that is newer lacks none of
 * them: two versions run side by side during a release.
 */
export async function missingMigrations(dataSource: DataSource): Promise<string[]> {
  const [table] = await dataSource.query<{ readable: boolean | null }[]>(
    `select has_table_privilege(to_regclass('migrations'), 'select') as readable`,
  );
  const names = MIGRATIONS.map(({ name }) => name);
  // Before the first migration, or before the one that lets the apps see which have been done.
  if (table?.readable !== true) return names;
  const rows = await dataSource.query<{ name: string }[]>('select name from migrations where name = any($1)', [names]);
  const done = new Set(rows.map(({ name }) => name));
  return names.filter((name) => !done.has(name));
}
