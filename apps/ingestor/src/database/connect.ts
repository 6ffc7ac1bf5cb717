import {
  checkLogSettings,
  databaseOptions,
  waitForSchema,
  type DatabaseOptions,
  type DeltakerId,
  connectAndWait,
  requireDirect,
  requireNotTooOld,
  writeKeyCheck,
} from '@tiltak/database';
import { logger } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config.ts';

/** As `DB_USERNAME`, and never through a pooler. */
export function databaseOptionsFrom(config: DatabaseConfig): DatabaseOptions {
  const direct = config.DB_DIREKTE_HOST && { host: config.DB_DIREKTE_HOST, port: config.DB_DIREKTE_PORT };
  const options = databaseOptions(config, {
    applicationName: `ingestor-${config.ORGANISASJON}`,
    // A batch is a few statements of some thousand rows: what takes longer than this hangs.
    statementTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
  });
  return { ...options, ...(direct ?? {}) };
}

/**
 * Waits for the database, and for the migration job to bring its schema to the version of this release; then makes sure
 * that the key of opaque ids fits, and that Postgres writes no personal data to its log.
 *
 * @throws LoginRefusedError, SettingRefusedError, PoolerError, LogSettingsError, WrongKeyError
 */
export async function prepareDatabase(
  config: DatabaseConfig,
  dataSource: DataSource,
  deltakerId: DeltakerId,
): Promise<void> {
  const options = databaseOptionsFrom(config);
  await connectAndWait(dataSource, logWaiting, () => requireDirect(options));
  await waitForSchema(dataSource, logWaiting, (migrations) =>
    logger.warn(
      { migrasjoner: migrations },
      'The schema is not at the version of this release yet; waiting for the migration job (node main.cjs migrer)',
    ),
  );
  await connectAndWait(dataSource, logWaiting, async () => {
    await checkLogs(dataSource, options.host);
    await requireNotTooOld(dataSource);
    await writeKeyCheck(dataSource, deltakerId);
  });
}

/** @throws LogSettingsError unless the database is on this machine */
export function checkLogs(dataSource: DataSource, host: string): Promise<void> {
  return checkLogSettings(
    (sql, values) => dataSource.query(sql, values),
    host,
    (line) => logger.warn(line),
  );
}

export function logWaiting(error: unknown): void {
  logger.warn({ err: error }, 'The database (DB_HOST, DB_PORT) does not answer; trying again');
}
