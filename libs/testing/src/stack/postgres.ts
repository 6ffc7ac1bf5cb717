import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { binariesFor, requireReadable, osUser, type OsUser } from './postgres-binaries.ts';
import { runProgram, startProcess, waitUntil, type ManagedProcess } from './process.ts';

export interface LocalPostgres {
  port: number;
  dataDir: string;
  /** as superuser, to the database `postgres` */
  url: string;
  proc: () => ManagedProcess;
  stop: () => Promise<void>;
  /** SIGKILL of the postmaster; its children notice and end */
  kill: () => Promise<void>;
  /** again, on the same data */
  restart: () => Promise<void>;
}

const SUPERUSER = 'postgres';

/**
 * Real Postgres, from an npm package, on 127.0.0.1. As root it runs as another OS user, as it must.
 *
 * @param dataDir where its data is; kept when it stops, and continued from when it starts there again. The superuser's
 *   password lies beside it, in `<dataDir>.passord`
 * @param throwaway whether the data is of no use when this process has ended
 * @param settings instead of those of every server
 */
export async function startPostgres({
  port,
  dataDir,
  logFile,
  throwaway = false,
  settings = {},
}: {
  port: number;
  dataDir: string;
  logFile: string;
  throwaway?: boolean;
  settings?: Readonly<Record<string, string>>;
}): Promise<LocalPostgres> {
  const owner = await osUser();
  const password = await prepareData(binariesFor(owner), dataDir, owner, throwaway ? ['--no-sync'] : []);
  return runPostgres({ port, dataDir, logFile, password, settings: { ...(throwaway ? THROWAWAY : {}), ...settings } });
}

/** For data that nobody misses when the machine stops: small, and never waits for a disk. */
const THROWAWAY = { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB', max_connections: '60' };

/**
 * A server on data that is there already.
 *
 * @param password the superuser's, in that data
 */
export async function runPostgres({
  port,
  dataDir,
  logFile,
  password,
  settings: own = {},
}: {
  port: number;
  dataDir: string;
  logFile: string;
  password: string;
  /** beside those of every server, or instead of them */
  settings?: Readonly<Record<string, string>>;
}): Promise<LocalPostgres> {
  const owner = await osUser();
  const bin = binariesFor(owner);
  const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${String(port)}/postgres`;
  const settings = Object.entries({ ...SETTINGS, ...own }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const args = ['-D', dataDir, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...settings];

  const tryStart = async (): Promise<ManagedProcess | undefined> => {
    // What a postmaster leaves behind when it is killed.
    const killed = existsSync(join(dataDir, 'postmaster.pid'));
    const proc = startProcess(join(bin, 'postgres'), args, logFile, { ...owner, cwd: dataDir });
    try {
      await waitUntil(async () => proc.ended() || responds(url), {
        what: `Postgres; see ${logFile}`,
        maxMs: 60_000,
      });
    } catch (error) {
      await proc.kill();
      throw error;
    }
    if (!proc.ended()) return proc;
    // Until the orphaned children have noticed, they hold the shared memory, and Postgres refuses to start.
    if (killed) return undefined;
    throw new Error(`Postgres ended at once (${String(proc.outcome())}); see ${logFile}`);
  };
  const start = (): Promise<ManagedProcess> =>
    waitUntil(tryStart, { what: `Postgres to start again; see ${logFile}`, everyMs: 200 });

  let proc = await start();
  return {
    port,
    dataDir,
    url,
    proc: () => proc,
    // SIGINT: fast shutdown, which does not wait for clients to leave.
    stop: () => proc.stop(8_000, 'SIGINT'),
    kill: () => proc.kill(),
    restart: async () => {
      proc = await start();
    },
  };
}

/** As every instance must have them (libs/database/src/log-settings.ts): no value of a row reaches the log. */
const LOG_SETTINGS = {
  log_min_messages: 'log',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
  log_parameter_max_length: '0',
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_transaction_sample_rate: '0',
  debug_print_parse: 'off',
  debug_print_rewritten: 'off',
  debug_print_plan: 'off',
};

const SETTINGS = {
  max_connections: '200',
  shared_buffers: '512MB',
  max_wal_size: '2GB',
  // A standby that has been away for a while finds what it lacks.
  wal_keep_size: '512MB',
  // As the instances of the platform have it, for what is replicated to a warehouse.
  wal_level: 'logical',
  max_slot_wal_keep_size: '4GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  ...LOG_SETTINGS,
};

/** @returns the superuser's password */
async function prepareData(
  bin: string,
  dataDir: string,
  owner: OsUser | undefined,
  more: readonly string[],
): Promise<string> {
  mkdirSync(dataDir, { recursive: true });
  requireReadable(dirname(dataDir), owner);
  chmodSync(dataDir, 0o700);
  if (owner) chownSync(dataDir, owner.uid, owner.gid);
  const passwordFile = `${dataDir}.passord`;
  if (!existsSync(join(dataDir, 'PG_VERSION'))) {
    writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (owner) chownSync(passwordFile, owner.uid, owner.gid);
    await initialize(bin, dataDir, { passwordFile, owner, more });
  }
  return readFileSync(passwordFile, 'utf8');
}

async function initialize(
  bin: string,
  dataDir: string,
  { passwordFile, owner, more }: { passwordFile: string; owner: OsUser | undefined; more: readonly string[] },
): Promise<void> {
  const initArgs = [...more, '-D', dataDir, '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  const { code, printout } = await runProgram(join(bin, 'initdb'), [...initArgs, '-E', 'UTF8', '--locale=C'], {
    ...owner,
    cwd: dirname(dataDir),
  });
  if (code === 0) return;
  rmSync(dataDir, { recursive: true, force: true });
  throw new Error(`Postgres could not be set up:\n${printout}`);
}

async function responds(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
