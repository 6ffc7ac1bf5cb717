import { chmod, chown, copyFile, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { osUser, requireReadable, type OsUser } from './postgres-binaries.ts';
import { runPostgres, type LocalPostgres } from './postgres.ts';
import { waitUntil } from './process.ts';

/** A streaming standby: it can be read from, and takes over when it is promoted. */
export interface Standby extends LocalPostgres {
  /** It becomes a primary of its own; resolves when it can be written to. The old primary is not touched. */
  promote: () => Promise<void>;
  /** Resolves when all that the primary had committed when this was called can be read here. */
  caughtUp: (maxMs?: number) => Promise<void>;
  /** What comes is kept, but nothing more of it can be read until it is resumed: a replica that lags. */
  pause: () => Promise<void>;
  resume: () => Promise<void>;
  /** From now on it follows another, which has the same history. */
  follow: (primary: Pick<LocalPostgres, 'url'>) => Promise<void>;
}

/** Where a standby follows its primary: the server itself, or an address in front of it. */
type Upstream = Pick<LocalPostgres, 'url' | 'dataDir'>;

/**
 * A streaming standby of a local Postgres, by the low-level functions for backups: there is no pg_basebackup in the
 * package. Many may follow one primary, and one may follow another standby.
 *
 * @param primary another standby's primary is that standby: then who follows is never ahead of who is promoted
 * @param dataDir made anew: what lies there is removed
 * @param settings lines of its postgresql.conf, beside those that all local servers have
 */
export async function startStandby(
  primary: Upstream,
  {
    port,
    dataDir,
    logFile,
    settings = {},
  }: { port: number; dataDir: string; logFile: string; settings?: Record<string, string> },
): Promise<Standby> {
  const owner = await osUser();
  const { password } = new URL(primary.url);
  await rm(dataDir, { recursive: true, force: true });
  await backUp(primary, dataDir, owner);
  await configure(primary.url, dataDir, port, settings, owner);
  await write(`${dataDir}.passord`, password, owner);
  const server = await runPostgres({ port, dataDir, logFile, password });
  let upstream = primary.url;
  return {
    ...server,
    promote: () => promote(server.url),
    caughtUp: (maxMs) => waitForCaughtUp(upstream, server.url, maxMs),
    follow: async ({ url }) => {
      upstream = url;
      await onServer(server.url, `alter system set primary_conninfo = '${connectionTo(url, port)}'`);
      await onServer(server.url, 'select pg_reload_conf()');
    },
    pause: async () => {
      await onServer(server.url, 'select pg_wal_replay_pause()');
      // Asked for is not yet done.
      await waitUntil(
        async () => (await onServer(server.url, 'select pg_get_wal_replay_pause_state() as value')) === 'paused',
        { what: 'the standby to pause', everyMs: 10 },
      );
    },
    resume: async () => void (await onServer(server.url, 'select pg_wal_replay_resume()')),
  };
}

/** One connection, one question, one value. */
async function onServer(url: string, sql: string, values: unknown[] = []): Promise<unknown> {
  return withServer(url, async (client) => (await client.query<{ value: unknown }>(sql, values)).rows[0]?.value);
}

async function withServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  // A machine that has much to do takes its time; a server that is not there says so at once.
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 30_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The copy is torn, since the server writes meanwhile: what it lacks is in the WAL from where the label says. */
async function backUp(primary: Upstream, dataDir: string, owner: OsUser | undefined): Promise<void> {
  await withServer(primary.url, async (client) => {
    await client.query("select pg_backup_start('standby', true)");
    await copyTree(primary.dataDir, dataDir, owner);
    // Last: of a standby, it tells how far the copy must be played to be whole.
    await copyUnlessGone(join(primary.dataDir, CONTROL), join(dataDir, CONTROL), owner);
    // A backup of a standby can't wait for WAL to be archived; nothing is archived here.
    const { rows } = await client.query<{ label: string; tablespaces: string }>(
      'select labelfile as label, spcmapfile as tablespaces from pg_backup_stop(false)',
    );
    const { label = '', tablespaces = '' } = rows[0] ?? {};
    // A tablespace lies outside the directory: both servers would write to the same files.
    if (tablespaces.trim() !== '') throw new Error('A server with tablespaces of its own can not be copied');
    await write(join(dataDir, 'backup_label'), label, owner);
  });
}

/** Begun anew by each server: the last one's process id, its WAL and slots, and what only lives while it runs. */
const CONTENTS_LEFT_OUT = new Set(['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots']);
const CONTROL = join('global', 'pg_control');
const LEFT_OUT = new Set([
  'pg_control',
  'postmaster.pid',
  'postmaster.opts',
  'standby.signal',
  'recovery.signal',
  'postgresql.auto.conf',
]);
const TEMPORARY = /^pgsql_tmp|^t\d+_\d+/;

async function copyTree(from: string, to: string, owner: OsUser | undefined, top = true): Promise<void> {
  await mkdir(to, { recursive: true });
  if (top) requireReadable(join(to, '..'), owner);
  await give(to, 0o700, owner);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (LEFT_OUT.has(entry.name) || TEMPORARY.test(entry.name)) continue;
    if (entry.isDirectory() && top && CONTENTS_LEFT_OUT.has(entry.name)) await makeEmpty(target, owner);
    else if (entry.isDirectory()) await copyTree(source, target, owner, false);
    else await copyUnlessGone(source, target, owner);
  }
}

async function makeEmpty(directory: string, owner: OsUser | undefined): Promise<void> {
  const within = directory.endsWith('pg_wal') ? [join(directory, 'archive_status'), join(directory, 'summaries')] : [];
  for (const path of [directory, ...within]) {
    await mkdir(path, { recursive: true });
    await give(path, 0o700, owner);
  }
}

/** A table may be dropped meanwhile, which the WAL tells of. */
async function copyUnlessGone(source: string, target: string, owner: OsUser | undefined): Promise<void> {
  try {
    await copyFile(source, target);
    await give(target, (await lstat(source)).mode & 0o777, owner);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function give(path: string, mode: number, owner: OsUser | undefined): Promise<void> {
  await chmod(path, mode);
  if (owner) await chown(path, owner.uid, owner.gid);
}

async function write(path: string, text: string, owner: OsUser | undefined): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (owner) await chown(path, owner.uid, owner.gid);
}

async function configure(
  primaryUrl: string,
  dataDir: string,
  port: number,
  settings: Record<string, string>,
  owner: OsUser | undefined,
): Promise<void> {
  const lines = {
    primary_conninfo: connectionTo(primaryUrl, port),
    // One that has gone silent is left.
    wal_receiver_timeout: '10s',
    wal_retrieve_retry_interval: '200ms',
    hot_standby: 'on',
    // Long readers here don't hold back what comes, but they hold back vacuum there.
    hot_standby_feedback: 'on',
    ...settings,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  await write(join(dataDir, 'postgresql.auto.conf'), text.join(''), owner);
  await write(join(dataDir, 'standby.signal'), '', owner);
}

function connectionTo(primaryUrl: string, port: number): string {
  const { hostname, port: primaryPort, username, password } = new URL(primaryUrl);
  return `host=${hostname} port=${primaryPort} user=${username} password=${password} application_name=standby_${String(port)}`;
}

async function promote(url: string): Promise<void> {
  if ((await onServer(url, 'select pg_promote(true, 60) as value')) !== true)
    throw new Error('The standby could not be promoted in a minute');
  await waitUntil(async () => (await onServer(url, 'select pg_is_in_recovery() as value')) === false, {
    what: 'the standby to be promoted',
    everyMs: 20,
  });
}

async function waitForCaughtUp(primaryUrl: string, url: string, maxMs = 30_000): Promise<void> {
  // Of another standby: what it has replayed, which is all that can be read there.
  const at = await onServer(
    primaryUrl,
    'select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as value',
  );
  await waitUntil(
    async () => (await onServer(url, 'select pg_last_wal_replay_lsn() >= $1::pg_lsn as value', [at])) === true,
    { what: 'the standby to catch up', maxMs, everyMs: 20 },
  );
}
