import { register } from 'prom-client';
import { startTestIngestor, type TestIngestor } from '../../testing/test-ingestor.ts';
import { describeStorage } from './storage.controller.ts';
import type { ReplicationSlot, Storage, TableStorage } from './storage.queries.ts';

const table = (more: Partial<TableStorage> = {}): TableStorage => ({
  ...{
    table: 'avtale',
    heapBytes: 1,
    indexBytes: 1,
    toastBytes: 0,
    rows: 1_000_000,
    deadRows: 0,
    updates: 0,
    hotUpdates: 0,
  },
  ...more,
});
const WELL: Storage = {
  ...{ measured: new Date(0), databaseBytes: 50, transactionAge: 1, openAge: 1, tables: [table()], indexes: [] },
  slots: [],
};
const slot = (more: Partial<ReplicationSlot>): ReplicationSlot[] => [
  { slot: 'varehus', isLogical: true, heldBytes: 1_000_000_000, isLost: false, ...more },
];

test.each<[string, Partial<Storage>, string]>([
  ['all is well', {}, 'BRA'],
  ['the disk fills up', { databaseBytes: 71 }, 'OBS'],
  ['it is what wakes somebody', { databaseBytes: 81 }, 'FEIL'],
  ['a third of a table is dead', { tables: [table({ deadRows: 300_001 })] }, 'OBS'],
  ['much is dead of little', { tables: [table({ rows: 10, deadRows: 100_000 })] }, 'BRA'],
  ['a slot is read', { slots: slot({}) }, 'BRA'],
  ['a slot is behind', { slots: slot({ heldBytes: 1_000_000_001 }) }, 'OBS'],
  ['a slot is lost', { slots: slot({ heldBytes: 0, isLost: true }) }, 'FEIL'],
  ['nothing is frozen', { transactionAge: 1_000_000_001 }, 'FEIL'],
])('%s', (_, found, expected) => {
  expect(describeStorage({ ...WELL, ...found }, 100).tilstand).toBe(expected);
  // Of a disk of unknown size nothing is said.
  if (found.databaseBytes) expect(describeStorage({ ...WELL, ...found }, null).tilstand).toBe('BRA');
});

describe('of a database', () => {
  let ingestor: TestIngestor;
  beforeAll(async () => {
    ingestor = await startTestIngestor();
  });
  afterAll(() => ingestor.stop());

  test('partitions are told of in their table, with all that the database says it has, and what is gone is told of no more', async () => {
    await ingestor.owner.query(`
      create table delt (n integer primary key, v text) partition by range (n);
      create table delt_1 partition of delt for values from (1) to (1000);
      create table delt_2 partition of delt for values from (1000) to (2000);
      insert into delt select n, repeat(md5(n::text), 10) from generate_series(1, 1999) n;
      update delt set v = v || 'x' where n < 500`);
    // By itself: within a transaction, what that one has made is not counted before its figures come, which may take a second.
    await ingestor.owner.query('analyze delt_1, delt_2');
    const meter = ingestor.ingestor.storageMeter;
    await meter.round();
    const found = meter.last?.tables.find(({ table: name }) => name === 'delt');
    const rows = await ingestor.owner.query<{ total: string }[]>(
      `select sum(pg_total_relation_size(inhrelid)) as total from pg_inherits where inhparent = 'delt'::regclass`,
    );
    expect((found?.heapBytes ?? 0) + (found?.indexBytes ?? 0) + (found?.toastBytes ?? 0)).toBe(Number(rows[0]?.total));
    expect(found?.rows).toBe(1999);
    expect(meter.last?.tables.some(({ table: name }) => name.startsWith('delt_'))).toBe(false);
    expect(meter.last?.indexes.filter(({ table: name }) => name === 'delt').map(({ index }) => index)).toEqual([
      'delt_pkey',
    ]);
    const { body } = await ingestor.call('GET', '/drift/v1/plass');
    expect(body.tabeller).toContainEqual(expect.objectContaining({ tabell: 'delt', rader: 1999, tilstand: 'BRA' }));
    expect((await ingestor.call('GET', '/drift/v1/plass', undefined, null)).status).toBe(401);
    const shown = await register.metrics();
    expect(shown).toContain('ingestor_tabell_rader{tabell="delt",slag="LEVENDE"} 1999');
    await ingestor.owner.query('drop table delt');
    await meter.round();
    expect(await register.metrics()).not.toContain('tabell="delt"');
  });

  test('who only reads, and holds what is dead since then, is seen', async () => {
    const reader = await ingestor.pool.connect();
    try {
      await reader.query('begin isolation level repeatable read read only; select 1');
      for (let n = 0; n < 50; n++) await ingestor.owner.query('select pg_current_xact_id()');
      const meter = ingestor.ingestor.storageMeter;
      await meter.round();
      expect(meter.last?.openAge).toBeGreaterThanOrEqual(50);
    } finally {
      reader.release(true);
    }
  });
});
