import {
  databaseOptions,
  createDataSource,
  migrate,
  type DatabaseOptions,
  type DeltakerId,
  connectAndWait,
  writeKeyCheck,
} from '@tiltak/database';
import { logger } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import type { DatabaseConfig, Config } from '../config.ts';

/** As `DB_USERNAME`; those of the owner of the schema are put over them. */
export function databaseOptionsFrom(config: DatabaseConfig): DatabaseOptions {
  return databaseOptions(config, {
    applicationName: `ingestor-${config.ORGANISASJON}`,
    // A batch is a few statements of some thousand rows: what takes longer than this hangs.
    statementTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
  });
}

/** Waits for the database, brings its schema up to date as its owner, and makes sure that the key of opaque ids fits. */
export async function prepareDatabase(config: Config, dataSource: DataSource, deltakerId: DeltakerId): Promise<void> {
  const { DB_MIGRERING_USERNAME: username, DB_MIGRERING_PASSWORD: password } = config;
  const options = databaseOptionsFrom(config);
  const owner = createDataSource(username && password ? { ...options, username, password } : options);
  try {
    const migrations = await connectAndWait(owner, logWaiting, migrate);
    if (migrations.length > 0) logger.info({ migrasjoner: migrations }, 'The schema is brought up to date');
  } finally {
    if (owner.isInitialized) await owner.destroy();
  }
  await connectAndWait(dataSource, logWaiting, () => writeKeyCheck(dataSource, deltakerId));
}

function logWaiting(error: unknown): void {
  logger.warn({ err: error }, 'The database (DB_HOST, DB_PORT) does not answer; trying again');
}
