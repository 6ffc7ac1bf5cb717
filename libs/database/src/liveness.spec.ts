import { connect, createServer, type Server, type Socket } from 'node:net';
import { createTestDatabase, freePort, waitUntil, type TestDatabase } from '@tiltak/testing';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { createDataSource, createPool, isTransient, sessionSettings, type DatabaseOptions } from './index.ts';

let database: TestDatabase;
let network: Network;
const pools: pg.Pool[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  network = await Network.to(database.port);
});
afterAll(async () => {
  network.stop();
  await Promise.all(pools.map((pool) => pool.end()));
  await database.remove();
});

/** Between us and the database; it can swallow all that is sent on the connections that there are. */
class Network {
  private readonly sockets = new Set<Socket>();
  /** that there have been */
  connections = 0;

  readonly port: number;
  private readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
  }

  /** @param renumber as a pooler does, which says of itself what the sessions are numbered */
  static async to(databasePort: number, renumber = false): Promise<Network> {
    const port = await freePort();
    const server = createServer((near) => {
      network.connections++;
      const far = connect(databasePort, '127.0.0.1');
      network.sockets.add(near).add(far);
      if (renumber) far.on('data', renumberSession);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('data', (bytes) => void (from.isPaused() || to.write(bytes)));
        from.on('close', () => to.destroy()).on('error', () => undefined);
      }
    });
    const network = new Network(server, port);
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    return network;
  }

  swallow(): void {
    for (const socket of this.sockets) socket.pause().removeAllListeners();
    for (const socket of this.sockets) socket.on('error', () => undefined);
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** In the message with which the database tells the number (BackendKeyData). */
function renumberSession(bytes: Buffer): void {
  const at = bytes.indexOf(Buffer.from([...Buffer.from('K'), 0, 0, 0, 12]));
  if (at >= 0) bytes.writeInt32BE(bytes.readInt32BE(at + 5) + 100_000_000, at + 5);
}

function options(more: Partial<DatabaseOptions> = {}): DatabaseOptions {
  return {
    ...{ host: '127.0.0.1', port: network.port, database: database.database, ...database.migrering },
    ...{ sslmode: 'disable', applicationName: 'liveness', poolSize: 3, connectTimeoutMs: 3_000 },
    // As of what may take an hour: it is not this limit that finds out.
    statementTimeoutMs: 3_600_000,
    ...more,
  };
}

function poolOf(more: Partial<DatabaseOptions> = {}): pg.Pool {
  const pool = createPool(options(more));
  pools.push(pool);
  return pool;
}

/** What the database does for us. */
async function sessions(): Promise<{ pid: number; state: string }[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ pid: number; state: string }>(
    `select pid, state from pg_stat_activity where application_name = 'liveness'`,
  );
  await client.end();
  return rows;
}

test('a network that swallows what is sent takes connections out of use, and the locks that they held', async () => {
  const [pool, copyPool] = [poolOf(), poolOf()];
  const dataSource = await createDataSource(options()).initialize();
  await pool.query('create table laast (n int); insert into laast values (1); create table kopi (n int)');
  // One that is idle meanwhile, and is not waited for in its turn.
  await Promise.all([pool.query('select 1'), pool.query('select 2')]);
  const db = await pool.connect();
  await db.query('begin');
  await db.query('select from laast for update');
  const copying = await copyPool.connect();
  const copy = copying.query(copyFrom('copy kopi from stdin'));
  const copyLost = new Promise((fail) => copy.on('error', fail));
  await waitUntil(async () => (await sessions()).some(({ state }) => state === 'active'), { what: 'COPY to begin' });
  network.swallow();
  copy.end('1\n');
  const lost = [db.query('select 1'), dataSource.query('select 1')].map((answer) => answer.catch((e: unknown) => e));
  expect((await Promise.all([...lost, copyLost])).map(isTransient)).toEqual([true, true, true]);
  db.release();
  copying.release();
  // On what had been idle this would wait as long, and for the lock a minute.
  expect((await pool.query('select n from laast for update')).rows).toEqual([{ n: 1 }]);
  expect((await copyPool.query('select from kopi')).rowCount).toBe(0);
  expect(await dataSource.query('select 1 as n')).toEqual([{ n: 1 }]);
  await dataSource.destroy();
}, 30_000);

test('a statement that is at work, and a reader that takes its time, are left alone', async () => {
  const pool = poolOf();
  const work = pool.query(`select 'ferdig' as n from pg_sleep(7)`);
  const db = await pool.connect();
  const rows = db.query(copyTo(`copy (select repeat('x', 1000) from generate_series(1, 20000)) to stdout`));
  await new Promise<void>((readable) => rows.once('readable', readable));
  expect((await work).rows).toEqual([{ n: 'ferdig' }]);
  let bytes = 0;
  for await (const chunk of rows) bytes += (chunk as Buffer).length;
  expect(bytes).toBe(20_000 * 1_001);
  db.release();
}, 30_000);

test('a statement that takes long does not make a connection for each round: of a pooler it is asked once', async () => {
  const [direct, pooler] = [await Network.to(database.port), await Network.to(database.port, true)];
  const sleeping = [direct, pooler].map(({ port }) => poolOf({ port }).query('select pg_sleep(7)'));
  await Promise.all(sleeping);
  // Its own, and one to ask. A second is due after eight seconds, which a busy machine may be at.
  expect([direct, pooler].map(({ connections }) => connections <= 3)).toEqual([true, true]);
  expect(direct.connections).toBeGreaterThan(1);
  expect(pooler.connections).toBe(2);
  direct.stop();
  pooler.stop();
}, 30_000);

test('a database that was read-only for a while is written to again, by those who were connected', async () => {
  const pool = poolOf();
  await pool.query('create table skrevet (n int)');
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(`alter database ${database.database} set default_transaction_read_only = on`);
  // Those that are made now are read-only for as long as they live.
  const readOnly = poolOf();
  const errors = await Promise.all(
    [1, 2, 3].map((n) => readOnly.query('insert into skrevet values ($1)', [n]).catch((error: unknown) => error)),
  );
  expect(errors.map(isTransient)).toEqual([true, true, true]);
  await owner.query(`alter database ${database.database} reset default_transaction_read_only`);
  await owner.end();
  expect((await readOnly.query('insert into skrevet values (1)')).rowCount).toBe(1);
});

test('every setting that we rely on is ours, whatever the database says', async () => {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const settings = sessionSettings({ statementTimeoutMs: 4_321 });
  for (const [name, value] of Object.entries(OTHERWISE)) {
    await owner.query(`alter database ${database.database} set ${name} = ${value}`);
  }
  expect(Object.keys(OTHERWISE).sort()).toEqual(Object.keys(settings).sort());
  const names = Object.keys(settings);
  const asked = `select name, current_setting(name) as value from unnest(array['${names.join("','")}']) name`;
  const plain = new pg.Client({ ...options(), user: database.migrering.username });
  await plain.connect();
  const theirs = await read(plain);
  await plain.end();
  const ours = await read(poolOf({ statementTimeoutMs: 4_321 }));
  // pg sets the encoding itself, on a plain connection too.
  for (const name of names.slice(1)) expect([name, theirs[name]]).not.toEqual([name, ours[name]]);
  const dataSource = await createDataSource(options({ statementTimeoutMs: 4_321 })).initialize();
  expect(await read({ query: async (sql: string) => ({ rows: await dataSource.query(sql) }) })).toEqual(ours);
  await dataSource.destroy();
  for (const name of names) await owner.query(`alter database ${database.database} reset ${name}`);
  await owner.end();

  async function read(db: { query: (sql: string) => Promise<{ rows: Row[] }> }): Promise<Record<string, string>> {
    return Object.fromEntries((await db.query(asked)).rows.map(({ name, value }) => [name, value]));
  }
});

interface Row {
  name: string;
  value: string;
}

const OTHERWISE: Record<string, string> = {
  ...{ client_encoding: 'LATIN1', DateStyle: `'SQL, DMY'`, TimeZone: `'Asia/Tokyo'`, IntervalStyle: 'iso_8601' },
  ...{ extra_float_digits: '-10', bytea_output: 'escape', standard_conforming_strings: 'off', array_nulls: 'off' },
  ...{ transform_null_equals: 'on', search_path: 'pg_catalog', check_function_bodies: 'off', row_security: 'off' },
  ...{ gin_fuzzy_search_limit: '3', default_transaction_isolation: 'serializable' },
  ...{
    default_transaction_deferrable: 'on',
    synchronous_commit: 'off',
    lock_timeout: '7',
    transaction_timeout: '60000',
  },
  ...{ idle_session_timeout: '60000', idle_in_transaction_session_timeout: '7', statement_timeout: '60000' },
  ...{ tcp_keepalives_idle: '7', tcp_keepalives_interval: '7', tcp_keepalives_count: '7', tcp_user_timeout: '7000' },
};
