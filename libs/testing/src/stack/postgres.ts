import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { binaererFor, krevTilgang, osBruker, type Bruker } from './postgres-binaer.ts';
import { kjorProgram, startProsess, ventTil, type Prosess } from './prosess.ts';

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

/**
 * Real Postgres, from an npm package, on 127.0.0.1. As root it runs as another OS user, as it must.
 *
 * @param dataDir where its data is; kept when it stops, and continued from when it starts there again. The superuser's
 *   password lies beside it, in `<dataDir>.passord`
 */
export async function startPostgres({
  port,
  dataDir,
  loggfil,
}: {
  port: number;
  dataDir: string;
  loggfil: string;
}): Promise<LokalPostgres> {
  const eier = await osBruker();
  const bin = binaererFor(eier);
  const passord = await klargjorData(bin, dataDir, eier);
  const url = `postgres://${SUPERBRUKER}:${passord}@127.0.0.1:${String(port)}/postgres`;
  const innstillinger = Object.entries(INNSTILLINGER).flatMap(([navn, verdi]) => ['-c', `${navn}=${verdi}`]);
  const argumenter = ['-D', dataDir, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...innstillinger];

  const forsok = async (): Promise<Prosess | undefined> => {
    // What a postmaster leaves behind when it is killed.
    const drept = existsSync(join(dataDir, 'postmaster.pid'));
    const prosess = startProsess(join(bin, 'postgres'), argumenter, loggfil, { ...eier, cwd: dataDir });
    try {
      await ventTil(async () => prosess.avsluttet() || svarer(url), {
        hva: `Postgres; see ${loggfil}`,
        maksMs: 60_000,
      });
    } catch (feil) {
      await prosess.drep();
      throw feil;
    }
    if (!prosess.avsluttet()) return prosess;
    // Until the orphaned children have noticed, they hold the shared memory, and Postgres refuses to start.
    if (drept) return undefined;
    throw new Error(`Postgres ended at once (${String(prosess.utfall())}); see ${loggfil}`);
  };
  const start = (): Promise<Prosess> =>
    ventTil(forsok, { hva: `Postgres to start again; see ${loggfil}`, hverMs: 200 });

  let prosess = await start();
  return {
    port,
    url,
    prosess: () => prosess,
    // SIGINT: fast shutdown, which does not wait for clients to leave.
    stopp: () => prosess.stopp(8_000, 'SIGINT'),
    drep: () => prosess.drep(),
    startIgjen: async () => {
      prosess = await start();
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
  // So could its parameters, when someone logs slow statements.
  log_parameter_max_length: '0',
};

/** @returns the superuser's password */
async function klargjorData(bin: string, dataDir: string, eier: Bruker | undefined): Promise<string> {
  mkdirSync(dataDir, { recursive: true });
  krevTilgang(dirname(dataDir), eier);
  chmodSync(dataDir, 0o700);
  if (eier) chownSync(dataDir, eier.uid, eier.gid);
  const passordfil = `${dataDir}.passord`;
  if (!existsSync(join(dataDir, 'PG_VERSION'))) {
    writeFileSync(passordfil, randomBytes(24).toString('hex'), { mode: 0o600 });
    if (eier) chownSync(passordfil, eier.uid, eier.gid);
    await initier(bin, dataDir, passordfil, eier);
  }
  return readFileSync(passordfil, 'utf8');
}

async function initier(bin: string, dataDir: string, passordfil: string, eier: Bruker | undefined): Promise<void> {
  const pakke = ['-D', dataDir, '-U', SUPERBRUKER, '-A', 'scram-sha-256', `--pwfile=${passordfil}`];
  const { kode, utskrift } = await kjorProgram(join(bin, 'initdb'), [...pakke, '-E', 'UTF8', '--locale=C'], {
    ...eier,
    cwd: dirname(dataDir),
  });
  if (kode === 0) return;
  rmSync(dataDir, { recursive: true, force: true });
  throw new Error(`Postgres could not be set up:\n${utskrift}`);
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
