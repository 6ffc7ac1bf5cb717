import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { osUser } from './stack/postgres-binaries.ts';
import type { OrganisasjonDatabase } from './stack/organisasjon-database.ts';
import { freePort, portAnswers, startProcess, waitUntil } from './stack/process.ts';

const PLACES = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'];

const MISSING = 'no PgBouncer: install 1.21 or newer, or set PGBOUNCER_PATH';

/** An older one carries no prepared statements, and then every look-up fails. */
const MIN_VERSION = [1, 21];

function findPgBouncer(): string | undefined {
  return [process.env['PGBOUNCER_PATH'] ?? '', ...PLACES].find((path) => existsSync(path) && isNewEnough(path));
}

function isNewEnough(path: string): boolean {
  const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' })) ?? [];
  const [minMajor = 0, minMinor = 0] = MIN_VERSION;
  return Number(major) > minMajor || (Number(major) === minMajor && Number(minor) >= minMinor);
}

/** `describe` for what needs a pooler; without one it is skipped, as `needsBrowser` does. */
export function needsPgBouncer<B>(block: Block<B> & { skip: Block<B> }): Block<B> {
  if (findPgBouncer() !== undefined) return block;
  return (title, body) => block.skip(`${title} (${MISSING})`, body);
}

type Block<B> = (title: string, body: B) => void;

export interface Pooler {
  port: number;
  /** of what it says */
  logFile: string;
  stop: () => Promise<void>;
}

/**
 * PgBouncer in transaction mode, in front of the database of an organisation and for its logins. With two connections for
 * each login, so that a session of a client wanders between them.
 *
 * @param settings of pgbouncer.ini, by name
 * @throws when there is none, see `needsPgBouncer`
 */
export async function startPgBouncer(
  database: OrganisasjonDatabase,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<Pooler> {
  const program = findPgBouncer();
  if (program === undefined) throw new Error(MISSING);
  const directory = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
  const port = await freePort();
  const logFile = join(directory, 'pgbouncer.log');
  const users = join(directory, 'users.txt');
  const config = join(directory, 'pgbouncer.ini');
  const logins = [database.migrering, database.ingestor, database.queryApi];
  writeFileSync(users, logins.map(({ username, password }) => `"${username}" "${password}"\n`).join(''));
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    pool_mode: 'transaction',
    default_pool_size: 2,
    max_client_conn: 500,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${String(value)}\n`);
  writeFileSync(
    config,
    `[databases]\n* = host=${database.host} port=${String(database.port)}\n[pgbouncer]\n${lines.join('')}`,
  );
  // It does not run as root, and whom it runs as must read these.
  const user = await osUser();
  for (const path of [directory, users, config]) chmodSync(path, 0o755);
  const proc = startProcess(program, [...(user ? ['-u', user.name] : []), config], logFile);
  await waitUntil(() => proc.ended() || portAnswers(port), { what: 'PgBouncer' });
  if (proc.ended()) throw new Error(`PgBouncer did not start, see ${logFile}`);
  return {
    port,
    logFile,
    stop: async () => {
      await proc.stop(5_000, 'SIGINT');
      rmSync(directory, { recursive: true });
    },
  };
}
