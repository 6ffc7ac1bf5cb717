import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server as Listener } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { abandon, createPool, type DatabaseOptions } from '@tiltak/database';
import { LOCKS, waitUntil } from '@tiltak/testing';
import pg, { type Pool } from 'pg';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { ReplicaSet, type ReplicaSetOptions, type Server } from './replica-set.ts';
import { SpreadPool } from './spread-pool.ts';

/** What is no sign that a replica is lost, and what is: a database in the place of both primary and replicas. */
let api: TestApi;
let port: number;
let proxy: Listener;
let proxyPort: number;
let isSilent = false;
const sets: { end: () => Promise<void> }[] = [];

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  ({ port } = api.database);
  proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (bytes) => isSilent || far.write(bytes)).on('close', () => far.destroy());
    far.on('data', (bytes) => near.write(bytes)).on('close', () => near.destroy());
    for (const one of [near, far]) one.on('error', () => undefined);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  proxyPort = (proxy.address() as AddressInfo).port;
});
afterAll(async () => {
  await Promise.all(sets.map((set) => set.end()));
  proxy.close();
  await api.stop();
});

function open(server: Server, more: Partial<DatabaseOptions> = {}): Pool {
  const { database, queryApi } = api.database;
  return createPool({
    ...{ database, ...queryApi, host: server.host, port: server.port, sslmode: 'disable', applicationName: 'spec' },
    ...{ poolSize: 1, statementTimeoutMs: 1_000, connectTimeoutMs: 1_000, ...more },
  });
}

/** In the database of the replicas. */
async function asSuperuser(): Promise<pg.Client> {
  const url = process.env['TEST_POSTGRES_URL'] ?? '';
  const client = new pg.Client({ connectionString: url.replace(/\/[^/]*$/, `/${api.database.database}`) });
  await client.connect();
  return client;
}

async function begin(more: Partial<ReplicaSetOptions> = {}): Promise<{ set: ReplicaSet; away: string[] }> {
  const set = new ReplicaSet({
    ...{ places: [{ host: '127.0.0.1', port }], defaultPort: port, maxBehindMs: 30_000 },
    primary: { name: 'primary', host: '127.0.0.1', port },
    open: (server) => open(server),
    check: () => Promise.resolve(),
    ...more,
  });
  sets.push(set);
  const away: string[] = [];
  set.onAway.push(({ name }) => away.push(name));
  await set.begin();
  return { set, away };
}

test.each([
  ['no connection free', 1, 'timeout exceeded'],
  ['no room for one more', 2, 'too many connections'],
])('a replica with %s is kept, and what is under way there ends well', async (_, max, message) => {
  const { set, away } = await begin();
  const { username } = api.database.queryApi;
  const pool = new SpreadPool(set, {
    ...{ abandon, max },
    open: (server) => open(server, { poolSize: max, connectTimeoutMs: 1_500, statementTimeoutMs: 20_000 }),
  });
  const superuser = await asSuperuser();
  const db = await pool.connect();
  try {
    await superuser.query('select pg_advisory_lock(1)');
    const underWay = db.query<{ n: number }>('select 1 as n from pg_advisory_lock(1)');
    if (max > 1) await superuser.query(`alter role ${username} connection limit 0`);
    await expect(pool.connect()).rejects.toThrow(message);
    await superuser.query('select pg_advisory_unlock(1)');
    expect((await underWay).rows).toEqual([{ n: 1 }]);
    expect([away, [...set.states.values()]]).toEqual([[], [undefined]]);
  } finally {
    await superuser.query(`alter role ${username} connection limit -1`);
    await superuser.end();
    db.release(true);
    await pool.end();
  }
});

test('readiness asks in its turn: look-ups that hold every connection go on, on the connections that they had', async () => {
  const beside = await api.startBeside({
    ...{ DB_REPLIKA_HOST: '127.0.0.1', DB_REPLIKA_PORT: String(proxyPort), DB_POOL_SIZE: '2' },
    DB_STATEMENT_TIMEOUT_MS: '20000',
  });
  const holder = await asSuperuser();
  const waiting = async (): Promise<number[]> => {
    const { rows } = await holder.query<{ pid: number }>(
      `select pid from ${LOCKS} where not granted and relation = 'avtale'::regclass order by pid`,
    );
    return rows.map(({ pid }) => pid);
  };
  try {
    await holder.query('begin; lock table avtale in access exclusive mode');
    // No caller may have all connections.
    const asked = Promise.all([
      beside.call('GET', '/api/v1/avtaler/nummer/1'),
      beside.call('POST', '/api/v1/avtaler/sok', { as: 'gammel', body: {} }),
    ]);
    await waitUntil(async () => (await waiting()).length === 2, { what: 'the look-ups to wait' });
    const before = await waiting();
    const { body } = await beside.call('GET', '/internal/isready', { token: null });
    expect(body.mangler).toContain('database');
    expect(await waiting()).toEqual(before);
    await holder.query('rollback');
    expect((await asked).map(({ status }) => status)).toEqual([404, 200]);
  } finally {
    await holder.end();
    await beside.stop();
  }
}, 30_000);

test('while this process is busy nobody is found to be away', async () => {
  const { set, away } = await begin();
  for (let round = 0; round < 2; round++) {
    const asking = set.round();
    // The question is sent; then nothing is heard for longer than an answer may take.
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    const until = performance.now() + 2_000;
    while (performance.now() < until);
    await asking;
  }
  expect([away, [...set.states.values()]]).toEqual([[], [undefined]]);
}, 20_000);

test('one that says nothing leaves the second time, and is back when it answers', async () => {
  const { set, away } = await begin({ places: [{ host: '127.0.0.1', port: proxyPort }] });
  const name = `127.0.0.1:${String(proxyPort)}`;
  isSilent = true;
  await set.round();
  expect(away).toEqual([]);
  await set.round();
  expect([away, set.usable.map((server) => server.name)]).toEqual([[name], ['primary']]);
  isSilent = false;
  await waitUntil(
    async () => {
      await set.round();
      return set.usable[0]?.name === name;
    },
    { what: 'it to be back' },
  );
}, 30_000);

test('one that could not be looked at for the moment is looked at again at once', async () => {
  let looks = 0;
  const { set } = await begin({
    check: () =>
      looks++ === 0 ? Promise.reject(Object.assign(new Error('too many'), { code: '53300' })) : Promise.resolve(),
  });
  expect(set.usable.map(({ name }) => name)).toEqual(['primary']);
  for (let round = 0; round < 3; round++) await set.round();
  expect([looks, [...set.states.values()]]).toEqual([2, [undefined]]);
});

test('one that is behind with virksomheter alone is behind', async () => {
  await api.owner.query(`create table paa_replikaen as select * from ressurs_status`);
  await api.owner.query('grant select on paa_replikaen to datadeling_leser');
  const { set } = await begin({
    open: (server) => {
      const pool = open(server);
      if (server.name === 'primary') return pool;
      const ask = pool.query.bind(pool) as (text: string) => Promise<unknown>;
      return Object.assign(pool, { query: (text: string) => ask(text.replaceAll('ressurs_status', 'paa_replikaen')) });
    },
  });
  const states = async (): Promise<unknown[]> => {
    await set.round();
    return [...set.states.values()];
  };
  expect(await states()).toEqual([undefined]);
  await api.owner.query(`update paa_replikaen set oppdatert_til = oppdatert_til - interval '31 seconds'`);
  expect(await states()).toEqual(['ETTER']);
  await api.owner.query('update paa_replikaen p set oppdatert_til = s.oppdatert_til from ressurs_status s');
  expect(await states()).toEqual([undefined]);
});

test('a name that stands for two, one, and two again: who stays is the same, and is shown the name for its certificate', async () => {
  const all = ['127.0.0.1', '127.0.0.2'];
  let found = all;
  const opened: Server[] = [];
  const { set } = await begin({
    places: [{ host: 'replikaer.example', port }],
    addressesOf: () => Promise.resolve(found),
    open: (server) => {
      opened.push(server);
      return open(server);
    },
  });
  const gone: string[] = [];
  set.onGone.push(({ name }) => gone.push(name));
  const [first, second] = all.map((address) => `${address}:${String(port)}`);
  for (const addresses of [all.slice(0, 1), all]) {
    found = addresses;
    await set.round();
    expect([...set.states.keys()]).toEqual([first, second].slice(0, addresses.length));
    expect(set.states.get(String(first))).toBeUndefined();
  }
  expect(gone).toEqual([second]);
  expect(opened.filter(({ name }) => name !== 'primary').map(({ tlsName }) => tlsName)).toEqual(
    Array.from({ length: 3 }, () => 'replikaer.example'),
  );
});
