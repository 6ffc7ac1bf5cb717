import { setTimeout as wait } from 'node:timers/promises';
import { MigrationExecutor, type DataSource, type Migration, type MigrationInterface, type QueryRunner } from 'typeorm';
import { LOCKS } from './locks.ts';
import { beginSteps, endSteps, shortly, type MigrationProgress, type Report } from './migration-steps.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { refuseOlder, requireNoneTooOld } from './versions.ts';

export interface MigrateOptions {
  /** hears of each migration and step, and each some seconds of what takes long */
  onProgress?: (progress: MigrationProgress) => void;
  /** how long the locks of one transaction are tried for, ms */
  patienceMs?: number;
}

/** A backup, say, or a report that somebody runs: it is waited for, with nobody waiting behind the migration. */
const PATIENCE_MS = 30 * 60_000;
const PROGRESS_EACH_MS = 5_000;

/**
 * Brings the schema up to date. Safe to call from several processes at once; the user must own the database.
 *
 * @returns the migrations that were done
 * @throws ContractError while an ingestor is alive that is too old to write after this version, LockedOutError when
 *   somebody holds a lock for too long
 */
export async function migrate(dataSource: DataSource, options: MigrateOptions = {}): Promise<string[]> {
  return alone(dataSource, async (runner, executor) => {
    await requireNoneTooOld(dataSource);
    await executor.prepare(runner);
    const pending = await executor.getPendingMigrations();
    const isNew = (await executor.getExecutedMigrations()).length === 0;
    for (const migration of pending)
      await run(dataSource, runner, executor, { migration, direction: 'up', isNew, ...options });
    await refuseOlder(dataSource);
    return pending.map(({ name }) => name);
  });
}

/** Undoes the migration that was done last, with as little in anybody's way as when it was done. */
export async function undoLastMigration(dataSource: DataSource, options: MigrateOptions = {}): Promise<void> {
  await alone(dataSource, async (runner, executor) => {
    const done = await executor.lastDone();
    if (done) await run(dataSource, runner, executor, { migration: done, direction: 'down', isNew: false, ...options });
  });
}

/** TypeORM keeps the list of what was done, and finds what is to be done; it runs nothing itself. */
class Executor extends MigrationExecutor {
  async prepare(runner: QueryRunner): Promise<void> {
    await this.createMigrationsTableIfNotExist(runner);
  }

  async lastDone(): Promise<Migration | undefined> {
    const last = this.getLatestExecutedMigration(await this.getExecutedMigrations());
    return this.getMigrations().find(({ name }) => name === last?.name);
  }
}

/** It passes by waiting: the job begins again, and goes on where it was. */
class ConnectionLostError extends Error {
  readonly code = '08006';
}

async function alone<T>(
  dataSource: DataSource,
  work: (runner: QueryRunner, executor: Executor) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    // What must be short has limits of its own, in its transaction.
    await runner.query('set statement_timeout = 0');
    await lock(runner);
    return await work(runner, new Executor(dataSource, runner));
  } catch (error) {
    // Between two statements nobody heard of it: what TypeORM says then is of its own book-keeping.
    throw runner.isReleased ? new ConnectionLostError('The connection was lost', { cause: error }) : error;
  } finally {
    await runner.query(`select pg_advisory_unlock(${LOCKS.MIGRATION})`).catch(() => undefined);
    await runner.query('reset statement_timeout').catch(() => undefined);
    await runner.release();
  }
}

/** Asked for again and again: an index that is made concurrently waits for every statement, also for one that waits for this. */
async function lock(runner: QueryRunner): Promise<void> {
  for (;;) {
    const [row] = (await runner.query(`select pg_try_advisory_lock(${LOCKS.MIGRATION}) as held`)) as {
      held: boolean;
    }[];
    if (row?.held) return;
    await wait(200);
  }
}

interface Run extends MigrateOptions {
  migration: Migration;
  direction: 'up' | 'down';
  isNew: boolean;
}

async function run(dataSource: DataSource, runner: QueryRunner, executor: Executor, options: Run): Promise<void> {
  const { migration, direction, isNew, onProgress = () => undefined, patienceMs = PATIENCE_MS } = options;
  const instance = migration.instance as MigrationInterface;
  const { name } = migration;
  const report: Report = (progress) => onProgress({ migration: name, direction, ...progress });
  beginSteps(runner, { migration: name, direction, isNew, patienceMs, report });
  const began = performance.now();
  report({ event: 'BEGUN' });
  const end = async (): Promise<void> => {
    await (direction === 'up' ? executor.insertMigration(migration) : executor.deleteMigration(migration));
    await endSteps(runner);
  };
  const watch = watchIndexes(dataSource, report);
  try {
    if (instance.transaction === false) {
      await instance[direction](runner);
      await shortly(runner, end);
    } else {
      await shortly(runner, async () => {
        await instance[direction](runner);
        await end();
      });
    }
  } finally {
    clearInterval(watch);
  }
  report({ event: 'DONE', seconds: Math.round((performance.now() - began) / 100) / 10 });
}

/** Over the other connection: the one that migrates waits for the index. */
function watchIndexes(dataSource: DataSource, report: Report): NodeJS.Timeout {
  return setInterval(() => {
    void dataSource
      .query<{ step: string; phase: string; blocks: number; blocksInAll: number }[]>(INDEXES)
      .then((rows) => rows.forEach((row) => report({ event: 'INDEX', ...row })))
      .catch(() => undefined);
  }, PROGRESS_EACH_MS).unref();
}

const INDEXES = `
  select coalesce(i.relname, 'index') as step, phase, blocks_done::integer as blocks, blocks_total::integer as "blocksInAll"
  from pg_stat_progress_create_index p left join pg_class i on i.oid = p.index_relid
  where p.datname = current_database()`;

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
