import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createTestDatabase,
  createWorkDir,
  testEnvironment,
  waitUntil,
  type ManagedProcess,
  type TestDatabase,
} from '@tiltak/testing';
import { createEvents, createUpdates } from '@tiltak/simulator';
import pg from 'pg';
import { clientId } from '../local/apps.ts';
import { readLocalKonsumenter } from '../local/token.ts';
import { kotlinConsumer, typeScriptConsumer, type Consumer } from './consumers.ts';
import { readAll, type Asked } from './copy.ts';
import { System } from './system.ts';

/** The programs of the clients' READMEs with the real service: whoever is killed, a copy is what the service answers. */
let system: System;
const { directory, clean } = createWorkDir('klient');

/** A copy, and those who follow with it. */
interface Copy {
  database: TestDatabase;
  pool: pg.Pool;
  followers: { consumer: Consumer; process: ManagedProcess }[];
}
const copies: Copy[] = [];
let kotlin: Consumer;

beforeAll(async () => {
  kotlin = await kotlinConsumer();
  system = await System.create();
}, 600_000);

afterAll(async () => {
  await Promise.all(copies.flatMap(({ followers }) => followers.map(({ process }) => process.kill())));
  await Promise.all(copies.map(({ pool }) => pool.end()));
  await system.stop();
  await Promise.all(copies.map(({ database }) => database.remove()));
  clean();
});

function start({ database }: Copy, consumer: Consumer, url: string): Copy['followers'][number] {
  const { hostname, port, username, password, pathname } = new URL(database.url);
  const jdbc = `jdbc:postgresql://${hostname}:${port}${pathname}?user=${username}&password=${password}`;
  const env = {
    ...process.env,
    TILTAK_URL: url,
    TILTAK_SCOPE: `api://${clientId('nav')}/.default`,
    AZURE_OPENID_CONFIG_TOKEN_ENDPOINT: `${system.env.issuer}/token`,
    AZURE_APP_CLIENT_ID: readLocalKonsumenter().find(({ navn }) => navn === 'alt')?.azp ?? '',
    AZURE_APP_CLIENT_SECRET: 'local',
    DATABASE_URL: database.url,
    DATABASE_JDBC_URL: jdbc,
  };
  return { consumer, process: consumer.start(env, join(directory, `${database.database}-${consumer.language}.log`)) };
}

async function createCopy(consumers: Consumer[], url: string): Promise<Copy> {
  const database = await createTestDatabase(testEnvironment().postgres);
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  const copy: Copy = { database, pool, followers: [] };
  copies.push(copy);
  copy.followers = consumers.map((consumer) => start(copy, consumer, url));
  return copy;
}

/** The copy and where it says that it is, as of one moment; undefined while there is none, or no database. */
async function read({ pool }: Copy): Promise<{ position: string; avtaler: unknown[] } | undefined> {
  const query = `select posisjon as position, (select coalesce(jsonb_agg(innhold order by avtale_id), '[]') from avtale_kopi) as avtaler
    from avtale_kopi_posisjon where posisjon is not null`;
  const result = await pool.query<{ position: string; avtaler: unknown[] }>(query).catch(() => undefined);
  return result?.rows[0];
}

/** Nothing is told after the position that it is at. */
async function isAtEnd({ url, headers }: Asked, position: string): Promise<boolean> {
  const response = await fetch(`${url}/api/v1/endringer?etter=${encodeURIComponent(position)}&antall=1`, { headers });
  if (!response.ok) return false;
  return ((await response.json()) as { endringer: unknown[] }).endringer.length === 0;
}

/** The property: at the position that it states, the copy is what the service answers. */
async function expectToBeServed(copy: Copy, asked: Asked): Promise<void> {
  const languages = copy.followers.map(({ consumer }) => consumer.language).join(' and ');
  const there = await waitUntil(
    async () => {
      const state = await read(copy);
      return state && (await isAtEnd(asked, state.position)) ? state : undefined;
    },
    { what: `the copy of ${languages} to be at the end of the feed`, maxMs: 120_000, everyMs: 200 },
  );
  const served = await readAll(asked);
  expect(served.length).toBeGreaterThan(100);
  expect(there.avtaler).toEqual(served);
}

/** For a moment, nobody gets in, and those who are in are out. */
async function takeAway({ database }: Copy): Promise<void> {
  const name = database.database;
  await system.sql(`alter database ${name} allow_connections false`);
  await system.sql('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  await wait(Math.random() * 2_000);
  await system.sql(`alter database ${name} allow_connections true`);
}

async function killOne(copy: Copy, url: string): Promise<void> {
  const n = Math.floor(Math.random() * copy.followers.length);
  const one = copy.followers[n];
  if (!one) return;
  await one.process.kill();
  copy.followers[n] = start(copy, one.consumer, url);
}

/** Those that could not begin, since their database was away, are started again, as a platform does. */
function startEnded(copy: Copy, url: string): void {
  copy.followers = copy.followers.map((one) => (one.process.ended() ? start(copy, one.consumer, url) : one));
}

test('a copy in the consumer’s Postgres is what is served after kills of all sides, cut connections and a lost position', async () => {
  await system.publish([...createEvents({ count: 3_000, seed: 5 })]);
  await system.startIngestor();
  const { address, apps } = await system.startQueryApis(2);
  const asked = { url: address.url, headers: await system.as('alt') };
  const program = join(directory, 'typescript');
  mkdirSync(program);
  const typescript = typeScriptConsumer(program);
  await createCopy([typescript], address.url);
  await createCopy([kotlin], address.url);
  // Both share one: each change is taken by one of them.
  await createCopy([typescript, kotlin], address.url);
  const updates = [...createUpdates({ count: 3_000, seed: 5 })];
  for (let n = 0; n < 6; n++) {
    await system.publish(updates.slice(n * 500, (n + 1) * 500));
    await wait(Math.random() * 1_000);
    await Promise.all(copies.map((copy) => killOne(copy, address.url)));
    if (n === 1) await apps[0]?.proc.kill();
    if (n === 2 || n === 5) await system.sql('update instans set epoke = gen_random_uuid()');
    if (n === 3 || n === 5) await Promise.all(copies.map(takeAway));
    if (n === 4) address.join(await system.startQueryApi());
    for (const copy of copies) startEnded(copy, address.url);
    await system.waitForIngested();
    await Promise.all(copies.map((copy) => expectToBeServed(copy, asked)));
  }
}, 900_000);
