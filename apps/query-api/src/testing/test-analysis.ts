import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ROOT } from '@tiltak/testing';
import pg from 'pg';
import type { Writing } from '../analysis/files.ts';
import { productKeys } from '../analysis/keys.ts';
import { readProducts } from '../analysis/products.ts';
import type { TestApi } from './test-api.ts';

/** An avtale as a test puts it there. */
export interface LifeOf {
  status: string | null;
  start: string | null;
  end: string | null;
  entered: string | null;
  wasEntered: boolean;
  annulled: string | null;
  neverBegan: boolean;
  kind: string | null;
  person: string | null;
  percent: number | null;
}

export interface TestAnalysis {
  /** as the job: with no other rights than those of datadeling_analyse */
  db: pg.Pool;
  /** owner of the database that is replicated */
  target: pg.Pool;
  targetName: string;
  /** of the subscriber */
  replication: { user: string; password: string };
  writing: (name: string) => Writing;
  directory: string;
  put: (id: string, life: LifeOf) => Promise<void>;
  remove: (id: string, how: 'SLETTET' | 'FEILREGISTRERT') => Promise<void>;
  duck: (sql: string) => Promise<Record<string, unknown>[]>;
  stop: () => Promise<void>;
}

/** The logins, the database that is replicated and DuckDB, beside an app; `stop` before the app's. */
export async function startTestAnalysis(api: TestApi, deltakerId: (ident: string) => string): Promise<TestAnalysis> {
  const { host, port, database, url } = api.database;
  const [user, targetName, replicator] = [`${database}_analyse`, `${database}_ut`, `${database}_rep`];
  const superuser = new pg.Pool({ connectionString: url, max: 1 });
  await superuser.query(`create role ${user} login password 'x' in role datadeling_analyse`);
  await superuser.query(`create role ${replicator} login replication password 'x' in role datadeling_replikering`);
  await superuser.query(`grant connect on database ${database} to ${user}`);
  await superuser.query(`create database ${targetName} owner ${user}`);
  await superuser.query(`revoke all on database ${targetName} from public`);
  await superuser.query(`grant connect on database ${targetName} to ${replicator}`);
  const connect = (name: string): pg.Pool =>
    new pg.Pool({ host, port, database: name, user, password: 'x', max: 3 }).on('error', () => undefined);
  const [db, target] = [connect(database), connect(targetName)];
  const directory = mkdtempSync(join(tmpdir(), 'analyse-'));
  const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
  await duckdb.run(`set TimeZone = 'UTC'`);
  const [product] = readProducts(join(ROOT, 'tools', 'local', 'analyse.yaml'));
  if (!product) throw new Error('There is a product on the local stack');
  return {
    ...{ db, target, targetName, replication: { user: replicator, password: 'x' }, directory },
    ...changesOf(api, deltakerId),
    writing: (name) => ({
      ...{ organisasjon: 'nav', product, keys: productKeys('0a'.repeat(32)), callId: randomUUID() },
      directory: join(directory, name),
    }),
    duck: async (sql) => (await duckdb.runAndReadAll(sql)).getRowObjectsJson(),
    stop: async () => {
      duckdb.closeSync();
      await Promise.all([db.end(), target.end()]);
      await superuser.query(`drop database ${targetName} with (force)`);
      await superuser.query(`drop owned by ${user}, ${replicator}`);
      await superuser.query(`drop role ${user}, ${replicator}`);
      await superuser.end();
      rmSync(directory, { recursive: true });
    },
  };
}

/** As the ingestor does: the avtale and its line of the feed in one transaction. */
function changesOf({ owner }: TestApi, deltakerId: (ident: string) => string): Pick<TestAnalysis, 'put' | 'remove'> {
  const columns = [
    ...['avtale_status', 'start_dato', 'slutt_dato', 'avtale_inngaatt', 'har_vaert_inngaatt', 'annullert_tidspunkt'],
    ...['aldri_begynt', 'tiltakstype', 'deltaker_fnr', 'deltaker_id', 'stillingprosent'],
  ];
  const places = columns.map((_, i) => `$${String(i + 2)}`).join(', ');
  return {
    put: async (id, { status, start, end, entered, wasEntered, annulled, neverBegan, kind, person, percent }) => {
      const opaque = person === null ? null : deltakerId(person);
      const values = [status, start, end, entered, wasEntered, annulled, neverBegan, kind, person, opaque, percent];
      await owner.transaction(async (db) => {
        await db.query(
          `insert into avtale (avtale_id, ${columns.join(', ')}, feilregistrert, kilde_partisjon, kilde_offset, sist_endret)
           values ($1, ${places}, false, 0, 0, clock_timestamp())
           on conflict (avtale_id) do update set slettet = null, feilregistrert = false, sist_endret = excluded.sist_endret,
             ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
          [id, ...values],
        );
        await db.query(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [id]);
      });
    },
    remove: async (id, how) => {
      const change = how === 'SLETTET' ? `slettet = 'GRAVSTEIN'` : 'feilregistrert = true';
      await owner.transaction(async (db) => {
        await db.query(`update avtale set ${change} where avtale_id = $1`, [id]);
        await db.query(`insert into endring (avtale_id, type, aarsak) values ($1, 'SLETTET', $2)`, [id, how]);
      });
    },
  };
}
