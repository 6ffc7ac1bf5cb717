import {
  connectAndWait,
  createDataSource,
  indexClosedMonths,
  migrate as runMigrations,
  requireDirect,
  type MigrationProgress,
} from '@tiltak/database';
import { errorForLog, flushLogger, logger, type Command } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { readDatabaseConfig } from '../config.ts';
import { checkLogs, databaseOptionsFrom, logWaiting } from '../database/connect.ts';

/** The migration job: the only process that has the login of the schema's owner. */
export const migrate: Command = {
  isJob: true,
  usage: `Usage: node main.cjs migrer

Brings the schema to the version of this release, as a job of its own: the apps of the release wait for it. Then gives each
month of the audit that is over its indexes, which nobody waits for. Waits for a database that does not answer. Reads DB_*
and ORGANISASJON; DB_USERNAME is the owner of the schema.

What it does, and how far it has come, is in its log. It holds no table for longer than a second, and what it can't get a
lock on is tried again for half an hour. When it is ended in the middle, run it again: it goes on where it was.

Exit code: 0 when the schema is at the version, 2 when it could not be brought there.
`,
  run: async () => {
    const options = { ...databaseOptionsFrom(readDatabaseConfig()), applicationName: 'migrering' };
    const owner = createDataSource(options);
    try {
      const done = await connectAndWait(owner, logWaiting, async () => {
        await requireDirect(options);
        await checkLogs(owner, options.host);
        return runMigrations(owner, { onProgress });
      });
      logger.info({ migrasjoner: done }, 'The schema is at the version of this release');
      await indexMonths(owner);
      return 0;
    } catch (error) {
      throw new Error(failure(error), { cause: error });
    } finally {
      if (owner.isInitialized) await owner.destroy();
      flushLogger();
    }
  },
};

/** A schema that is there is no less so for an index that is not: the next job makes it. */
async function indexMonths(owner: DataSource): Promise<void> {
  try {
    const indexes = await indexClosedMonths(owner);
    if (indexes.length > 0) logger.info({ indekser: indexes }, 'Months of the audit that are over have their indexes');
  } catch (error) {
    logger.warn(
      errorForLog(error),
      'Months of the audit that are over did not get their indexes: the next job tries again',
    );
  }
}

/** Each migration and step, and what takes long each five seconds. */
function onProgress(progress: MigrationProgress): void {
  logger.info(progress, 'Migrating');
}

function failure(error: unknown): string {
  const { code, constraint, table, message } = errorForLog(error);
  const where = [table, constraint].filter(Boolean).join(', ');
  // There is none of an error of the database, which can quote a row.
  if (typeof message === 'string') return message;
  return `The schema could not be brought to the version of this release: SQLSTATE ${String(code)}${where ? ` (${where})` : ''}`;
}
