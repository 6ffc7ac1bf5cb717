import { createDataSource, migrate, writeKeyCheck, type DatabaseOptions, type DeltakerId } from '@tiltak/database';
import { createDatabase, type OrganisasjonDatabase } from '@tiltak/testing';
import pg from 'pg';
import type { DataSource } from 'typeorm';

/** Where the stream would be, had it a topic. */
export const SOURCE = { topic: 'sandkasse', epoch: 0, partition: 0 } as const;
export const VIRKSOMHET_SOURCE = { topic: 'sandkasse-virksomheter', epoch: 0, partition: 0 } as const;

export interface SandboxDatabase {
  logins: OrganisasjonDatabase;
  /** connected as the owner of the schema */
  owner: DataSource;
}

/**
 * The organisation's database and logins on an empty server, with a clock that can be set, the product's schema, and the
 * word that everything which was published is in it.
 *
 * @param url of the server, as superuser
 */
export async function createSandboxDatabase(url: string, deltakerId: DeltakerId): Promise<SandboxDatabase> {
  const logins = await createDatabase(url, ORGANISASJON);
  await replaceClock(logins.url);
  const owner = await createDataSource({ ...connectionOf(logins), ...logins.migrering }).initialize();
  await migrate(owner);
  await writeKeyCheck(owner, deltakerId);
  for (const { topic, epoch } of [SOURCE, VIRKSOMHET_SOURCE])
    await owner.query('insert into topic_epoke values ($1, $2, $1)', [topic, epoch]);
  await emptySource(owner);
  return { logins, owner };
}

export const ORGANISASJON = 'sandkasse';

/** Of a source from which nothing has come. */
export async function emptySource(owner: DataSource): Promise<void> {
  const values = [SOURCE.topic, SOURCE.partition];
  for (const { topic, partition } of [SOURCE, VIRKSOMHET_SOURCE]) {
    await owner.query('delete from konsum_offset where topic = $1 and partisjon = $2', [topic, partition]);
    await owner.query('insert into konsum_offset values ($1, $2, 0)', [topic, partition]);
  }
  await owner.query('delete from konsum_status where topic = $1 and partisjon = $2', values);
  await owner.query('insert into konsum_status values ($1, $2, 0, now())', values);
  await owner.query(
    `insert into ressurs_status values ('virksomheter', $1, $2, 0, now())
     on conflict (topic, partisjon) do update set oppdatert_til = excluded.oppdatert_til`,
    values,
  );
}

/** Less than what Postgres waits before it ends one of two that wait for each other, which might be who reads. */
const GIVE_WAY_MS = 200;
/** LOCK_NOT_AVAILABLE */
const IS_HELD = '55P03';
/** Together as long as a statement may take. */
const MAX_ATTEMPTS = 300;

/** As soon as nobody reads any of them: whoever does goes on, as beside the product, in which nobody empties a table. */
export async function emptyTables(owner: DataSource, tables: readonly string[]): Promise<void> {
  for (let made = 1; ; made++) {
    try {
      return await owner.transaction(async (db) => {
        await db.query(`set local lock_timeout = ${String(GIVE_WAY_MS)}`);
        await db.query(`truncate ${tables.join(', ')}`);
      });
    } catch (error) {
      if ((error as { code?: unknown }).code !== IS_HELD || made >= MAX_ATTEMPTS) throw error;
    }
  }
}

export function connectionOf(logins: OrganisasjonDatabase): Omit<DatabaseOptions, 'username' | 'password'> {
  const { host, port, database } = logins;
  const limits = { poolSize: 2, statementTimeoutMs: 60_000, connectTimeoutMs: 5_000 };
  return { host, port, database, sslmode: 'disable', applicationName: 'sandkasse', ...limits };
}

/**
 * Puts another clock in the place of Postgres' own, before anything refers to it. A session of the product has the search
 * path that it insists on, and a setting could not reach it: so the name itself means something else, in this server only.
 */
async function replaceClock(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(CLOCK);
  } finally {
    await client.end();
  }
}

const CLOCK = `
  create schema sandkasse;
  create table sandkasse.klokke (foran interval not null);
  insert into sandkasse.klokke values ('0');
  grant usage on schema sandkasse to public;
  grant select on sandkasse.klokke to public;
  grant update on sandkasse.klokke to ${ORGANISASJON}_migrering;
  alter function pg_catalog.now() rename to egen_now;
  alter function pg_catalog.clock_timestamp() rename to egen_clock_timestamp;
  create function pg_catalog.now() returns timestamptz language sql stable parallel safe
    as 'select pg_catalog.egen_now() + (select foran from sandkasse.klokke)';
  create function pg_catalog.clock_timestamp() returns timestamptz language sql volatile parallel safe
    as 'select pg_catalog.egen_clock_timestamp() + (select foran from sandkasse.klokke)';`;
