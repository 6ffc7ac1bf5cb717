import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PostgresStore, type Schemas } from '@tiltak/datadeling-klient';
import {
  createTestDatabase,
  createWorkDir,
  ROOT,
  startProcess,
  testEnvironment,
  waitUntil,
  type ManagedProcess,
  type TestDatabase,
} from '@tiltak/testing';
import { createEvents, createUpdates } from '@tiltak/simulator';
import pg from 'pg';
import { readAll } from './copy.ts';
import { System } from './system.ts';

/** The client for TypeScript with the real service: whoever is killed, the copy becomes what the service answers. */
let system: System;
let database: TestDatabase;
let pool: pg.Pool;
let followers: ManagedProcess[] = [];
const { directory, clean } = createWorkDir('klient');

beforeAll(async () => {
  system = await System.create();
  database = await createTestDatabase(testEnvironment().postgres);
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => undefined);
  await new PostgresStore({ pool }).createTables();
  await pool.query('create table hendelse (nr serial primary key, posisjon text not null)');
}, 60_000);

afterAll(async () => {
  await Promise.all(followers.map((follower) => follower.stop()));
  await pool.end();
  await system.stop();
  await database.remove();
  clean();
});

async function follow(url: string): Promise<void> {
  const token = (await system.as('alt'))['authorization']?.slice('Bearer '.length) ?? '';
  const program = join(ROOT, 'tools', 'e2e', 'follower.ts');
  const log = join(directory, `${String(followers.length)}.log`);
  followers = [...followers, startProcess(process.execPath, [program, url, token, database.url], log)];
}

async function copy(): Promise<Schemas['Avtale'][]> {
  const { rows } = await pool.query<{ innhold: Schemas['Avtale'] }>(
    'select innhold from avtale_kopi order by avtale_id',
  );
  return rows.map(({ innhold }) => innhold);
}

test('a copy in the consumer’s Postgres is what is served after kills of all sides, cut connections and a lost position', async () => {
  await system.publish([...createEvents({ count: 3_000, seed: 5 })]);
  await system.startIngestor();
  const { address, apps } = await system.startQueryApis(2);
  const headers = await system.as('alt');
  // Two share the copy: each change is taken by one of them.
  await follow(address.url);
  await follow(address.url);
  await waitUntil(async () => (await copy()).length > 0, { what: 'the copy' });
  const updates = [...createUpdates({ count: 3_000, seed: 5 })];
  for (let n = 0; n < 6; n++) {
    await system.publish(updates.slice(n * 500, (n + 1) * 500));
    await wait(Math.random() * 400);
    if (n % 2 === 0) await followers.at(-1)?.kill();
    if (n === 1) await apps[0]?.proc.kill();
    if (n === 2) await system.sql('update instans set epoke = gen_random_uuid()');
    if (n === 3)
      await pool
        .query(
          'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
        )
        .catch(() => undefined);
    if (n === 4) address.join(await system.startQueryApi());
    if (n % 2 === 0) await follow(address.url);
  }
  await system.waitForIngested();
  const served = await readAll({ url: address.url, headers });
  expect(served.length).toBeGreaterThan(100);
  await waitUntil(async () => JSON.stringify(await copy()).length === JSON.stringify(served).length, {
    what: 'the copy to be as long as what is served',
    maxMs: 60_000,
  });
  expect(await copy()).toEqual(served);
  // What the consumer does about a change is done once: positions come in order, and none twice but at the end of the feed.
  const { rows } = await pool.query<{ antall: number }>(
    `select count(*)::int as antall from hendelse join avtale_kopi_posisjon using (posisjon)`,
  );
  expect(rows[0]?.antall).toBeGreaterThan(0);
}, 240_000);
