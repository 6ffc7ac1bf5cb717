import { join } from 'node:path';
import { createWorkDir, freePort, startPostgres, type LocalPostgres } from '@tiltak/testing';
import pg from 'pg';
import { describeStorage } from './storage.controller.ts';
import { readStorage, type ReplicationSlot } from './storage.queries.ts';

/** On a server of its own: a slot that is lost is lost by a setting of the instance. */
const { directory, clean } = createWorkDir('spor');
let postgres: LocalPostgres;
let superuser: pg.Pool;
/** without any right of its own, as the ingestor's login is as far as slots go */
let login: pg.Pool;

beforeAll(async () => {
  postgres = await startPostgres({
    ...{ port: await freePort(), dataDir: join(directory, 'pg'), logFile: join(directory, 'pg.log'), throwaway: true },
    settings: { max_slot_wal_keep_size: '64MB', wal_keep_size: '0', max_wal_size: '64MB', min_wal_size: '32MB' },
  });
  superuser = new pg.Pool({ connectionString: postgres.url, max: 1 });
  superuser.on('error', () => undefined);
  // As it is, without being made smaller: so much is written to the log.
  await superuser.query('create table fyll (v text)');
  await superuser.query('alter table fyll alter v set storage external');
  await superuser.query(`create role ingen login password 'x'`);
  await superuser.query('create database varehus');
  const url = new URL(postgres.url);
  [url.username, url.password] = ['ingen', 'x'];
  login = new pg.Pool({ connectionString: url.href, max: 1 });
  login.on('error', () => undefined);
}, 60_000);
afterAll(async () => {
  await Promise.all([superuser.end(), login.end()]);
  await postgres.stop();
  clean();
});

async function found(): Promise<ReplicationSlot> {
  const storage = await readStorage(login);
  const [slot, ...others] = storage.slots;
  if (!slot) throw new Error('There is no slot');
  expect(others).toEqual([]);
  expect(describeStorage(storage, null).replikeringsspor).toEqual([
    {
      ...{ spor: slot.slot, slag: 'LOGISK', holdtTilbakeByte: slot.heldBytes, tapt: slot.isLost },
      tilstand: slot.isLost ? 'FEIL' : 'BRA',
    },
  ]);
  return slot;
}

async function write(megabytes: number): Promise<void> {
  await superuser.query(
    `insert into fyll select repeat(md5(n::text), 250) from generate_series(1, ${String(megabytes * 128)}) n`,
  );
}

test('what a slot holds back grows until its subscriber reads on, and one that is too far behind is told to be lost', async () => {
  expect((await readStorage(login)).slots).toEqual([]);
  // Of another database than the one that is asked, as that of a product is.
  const url = new URL(postgres.url);
  url.pathname = '/varehus';
  const other = new pg.Pool({ connectionString: url.href, max: 1 }).on('error', () => undefined);
  await other.query(`select pg_create_logical_replication_slot('varehus', 'pgoutput')`);
  const before = await found();
  await write(20);
  const behind = await found();
  expect([before.isLost, behind.isLost, behind.isLogical]).toEqual([false, false, true]);
  expect(behind.heldBytes).toBeGreaterThan(before.heldBytes + 1_000_000);

  // What is held is let go when the log tells which transactions were under way, and the subscriber is past that.
  for (let round = 0; round < 5 && (await found()).heldBytes > behind.heldBytes / 2; round++) {
    await superuser.query('select pg_log_standby_snapshot()');
    await other.query(`select pg_replication_slot_advance('varehus', pg_current_wal_lsn())`);
  }
  expect((await found()).heldBytes).toBeLessThan(behind.heldBytes / 2);

  for (let round = 0; round < 12 && !(await found()).isLost; round++) {
    await write(20);
    await superuser.query('select pg_switch_wal()');
    await superuser.query('checkpoint');
  }
  expect(await found()).toEqual({ slot: 'varehus', isLogical: true, heldBytes: 0, isLost: true });
  await other.query(`select pg_drop_replication_slot('varehus')`);
  await other.end();
  expect((await readStorage(login)).slots).toEqual([]);
}, 120_000);
