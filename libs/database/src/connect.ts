import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { missingMigrations } from './migrate.ts';

/** The database answers, and says no to who is asking: waiting does not help. */
export class LoginRefusedError extends Error {
  readonly startupError = true;
}

/** The database, or a pooler in front of it, does not let a setting be given when connecting. */
export class SettingRefusedError extends Error {
  readonly startupError = true;
}

/** PgBouncer says this with 08P01, as it does of all else; Postgres has a code for each. */
const SETTING_REFUSED = [
  /unsupported startup parameter(?: in options)?: ([\w.]+)/,
  /(?:unrecognized configuration|permission denied to set|invalid value for) parameter "([\w.]+)"/,
  /parameter "([\w.]+)" (?:cannot be|can not be)/,
];

/** The same error, unless it is about a setting: then one that names it. */
export function asSettingRefused(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [, setting] = SETTING_REFUSED.map((text) => text.exec(error.message)).find((match) => match !== null) ?? [];
  if (setting === undefined) return error;
  return new SettingRefusedError(
    `The setting ${setting} is refused when connecting to DB_HOST (SQLSTATE ${codeOf(error)}). If that is a pooler: the query-api needs DB_POOLER=transaksjon; the ingestor and its commands need Postgres itself, in DB_DIREKTE_HOST and DB_DIREKTE_PORT`,
  );
}

/** 28: the user or password is wrong; 3D000: there is no such database; 42501: no right to connect to it. */
const REFUSED = /^(28|3D000|42501)/;

/**
 * No connection, the database going down or coming up, read-only as after a failover, a lock or statement that took too
 * long, a replica in conflict.
 */
const TRANSIENT =
  /^(08|25006|40|53|55P03|57|ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENET|EADDRNOTAVAIL|EMFILE|ENFILE|EPROTO|ENOTFOUND|EAI_|CERT_|ERR_SSL|ERR_TLS)/;

/** What pg says without a code: of a connection that ended, also while nobody was using it, or that got no TLS. */
const TRANSIENT_TEXT = /timeout|Connection terminated|not queryable|after calling end|SSL connection/i;

/** Whether the same may go well in a moment; then nothing of what failed has been stored. */
export function isTransient(error: unknown): boolean {
  return error instanceof Error && (TRANSIENT.test(codeOf(error)) || TRANSIENT_TEXT.test(error.message));
}

/**
 * Connects, and waits for the database as long as it takes; then does what must be done first, again when the connection
 * is lost meanwhile.
 *
 * @param onError hears of each attempt that failed
 * @throws LoginRefusedError, SettingRefusedError naming what is wrong
 */
export async function connectAndWait<T>(
  dataSource: DataSource,
  onError: (error: unknown) => void,
  first: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      if (!dataSource.isInitialized) await dataSource.initialize();
      return await first(dataSource);
    } catch (error) {
      const code = codeOf(error);
      const known = dataSource.isInitialized ? error : asSettingRefused(error);
      // Wrong, and said so: its words may be those of something that passes.
      if (known instanceof Error && 'startupError' in known) throw known;
      if (REFUSED.test(code) && !dataSource.isInitialized) {
        throw new LoginRefusedError(
          `DB_USERNAME, DB_PASSWORD or DB_DATABASE is refused by the database (SQLSTATE ${code})`,
        );
      }
      if (dataSource.isInitialized && !isTransient(error)) throw error;
      onError(error);
      await wait(Math.min(250 * 2 ** Math.min(attempt, 10), 5_000));
    }
  }
}

/**
 * As `connectAndWait`; then waits for the migration job to bring the schema to the version of this release.
 *
 * @param onWaiting hears, each second, which migrations are not done yet
 */
export async function waitForSchema(
  dataSource: DataSource,
  onError: (error: unknown) => void,
  onWaiting: (missing: string[]) => void,
): Promise<void> {
  for (;;) {
    const missing = await connectAndWait(dataSource, onError, missingMigrations);
    if (missing.length === 0) return;
    onWaiting(missing);
    await wait(1_000);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
