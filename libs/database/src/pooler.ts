import pg from 'pg';
import type { DataSource } from 'typeorm';
import { asSettingRefused } from './connect.ts';
import { connectionConfig, type DatabaseOptions } from './connections.ts';
import { sessionSettings, type SessionLimits } from './session-settings.ts';

/** A pooler stands between this process and Postgres where it can't, or isn't set up as it must be. */
export class PoolerError extends Error {
  readonly startupError = true;
}

/**
 * For what needs a session of its own: locks that outlive a transaction, tables on the way in, settings. On a pooler these
 * would stay behind on a connection that somebody else is given next.
 *
 * @throws PoolerError, SettingRefusedError; what pg throws when the database can't be reached
 */
export async function requireDirect(options: DatabaseOptions): Promise<void> {
  const { password } = options;
  const client = new pg.Client({ ...connectionConfig(options), password });
  client.on('error', () => undefined);
  try {
    await client.connect();
    if (await isPooled(client)) {
      throw new PoolerError(
        'Behind DB_HOST is a pooler: who writes, migrates or reconciles needs Postgres itself. Set DB_DIREKTE_HOST and DB_DIREKTE_PORT',
      );
    }
  } catch (error) {
    throw asSettingRefused(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether the server at the other end is another than the one that was connected to: a pooler gives a number of its own. */
async function isPooled(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid !== (client as pg.Client & { processID: number }).processID;
}

/** Between a server and whoever is connected to it, so that a pooler's are its own. */
const OF_THE_CONNECTION = /^(tcp_|client_encoding$)/;

/**
 * Makes sure that what the queries rely on is in force: through a pooler it comes with the role, and nowhere else.
 *
 * @throws PoolerError with the statement that sets each setting that is wrong
 */
export async function checkSession(dataSource: DataSource, limits: SessionLimits, pooled: boolean): Promise<void> {
  const wanted = Object.entries(sessionSettings(limits)).filter(([name]) => !OF_THE_CONNECTION.test(name));
  const rows = await dataSource.query<{ role: string; name: string; setting: string }[]>(
    'select session_user as role, name, setting from pg_settings where name = any($1)',
    [wanted.map(([name]) => name)],
  );
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  const [{ role } = { role: '' }] = rows;
  const wrong = wanted.flatMap(([name, value]) => {
    const setting = settings.get(name);
    // A version of Postgres that doesn't have it yet can't have it otherwise.
    if (setting === undefined || withoutSpaces(setting) === withoutSpaces(value)) return [];
    return [`${name} is ${setting}: alter role ${role} set ${name} = '${value}'`];
  });
  if (wrong.length === 0) return;
  const what = pooled
    ? 'Through a pooler, the settings of a session are those of its role. Set these, and reconnect the pooler'
    : 'The settings of the session do not reach the database: is there a pooler in front of it? Then set DB_POOLER=transaksjon';
  throw new PoolerError([what, ...wrong].join('\n'));
}

const withoutSpaces = (text: string): string => text.replaceAll(' ', '');

/**
 * Look-ups are prepared statements: a pooler must carry them from one connection to another. It then gives them names of
 * its own.
 *
 * @throws PoolerError
 */
export async function checkPreparedStatements(options: DatabaseOptions): Promise<void> {
  const client = new pg.Client({ ...connectionConfig(options), password: options.password });
  client.on('error', () => undefined);
  try {
    await client.connect();
    if (!(await isPooled(client))) return;
    const { rows } = await client.query<{ name: string }>({
      name: 'tiltak_forberedt',
      text: `select name from pg_prepared_statements where name = 'tiltak_forberedt'`,
    });
    if (rows.length === 0) return;
    throw new PoolerError(
      'The pooler (DB_HOST) does not carry prepared statements: PgBouncer does from 1.21 on, with max_prepared_statements above 0',
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
