import { createDataSource, migrate } from '@tiltak/database';
import { createTestDatabase, type TestDatabase } from '@tiltak/testing';
import type { DataSource } from 'typeorm';
import { ChangeFeedPruning } from './prune.job.ts';

let database: TestDatabase;
let owner: DataSource;
let writer: DataSource;

const options = { sslmode: 'disable', poolSize: 2, statementTimeoutMs: 30_000, connectTimeoutMs: 5_000 } as const;

beforeAll(async () => {
  database = await createTestDatabase();
  const connect = (who: typeof database.ingestor): Promise<DataSource> =>
    createDataSource({ ...database, ...who, ...options, applicationName: 'spec' }).initialize();
  owner = await connect(database.migrering);
  await migrate(owner);
  writer = await connect(database.ingestor);
});
afterAll(async () => {
  await Promise.all([owner.destroy(), writer.destroy()]);
  await database.remove();
});
beforeEach(() => owner.query(`delete from endring; update instans set beskaaret_til = '0'`));

/** @param rows transaction id and age in days */
async function save(rows: [tx: number, dager: number][]): Promise<void> {
  for (const [tx, days] of rows) {
    await owner.query(
      `insert into endring (tx, avtale_id, type, tidspunkt)
       values ($1::text::xid8, gen_random_uuid(), 'ENDRET', now() - make_interval(days => $2))`,
      [String(tx), days],
    );
  }
}

async function afterPruning(): Promise<{ left: number[]; prunedUntil: number }> {
  await new ChangeFeedPruning(writer, 90).prune();
  const rows = await owner.query<{ tx: string }[]>('select tx from endring order by tx, lopenr');
  const [instance] = await owner.query<{ beskaaret_til: string }[]>('select beskaaret_til from instans');
  return { left: rows.map(({ tx }) => Number(tx)), prunedUntil: Number(instance?.beskaaret_til) };
}

test.each<[string, [number, number][], { left: number[]; prunedUntil: number }]>([
  ['nothing in an empty feed', [], { left: [], prunedUntil: 0 }],
  ['nothing young', [[5, 89]], { left: [5], prunedUntil: 0 }],
  [
    'what is old',
    [
      [5, 200],
      [6, 91],
      [6, 91],
      [7, 10],
    ],
    { left: [7], prunedUntil: 7 },
  ],
  [
    'nothing old after something young',
    [
      [5, 200],
      [6, 10],
      [7, 91],
    ],
    { left: [6, 7], prunedUntil: 6 },
  ],
  [
    'all but the last transaction when everything is old',
    [
      [5, 200],
      [6, 200],
      [6, 200],
    ],
    { left: [6, 6], prunedUntil: 6 },
  ],
])('removes %s', async (_, rows, expected) => {
  await save(rows);
  expect(await afterPruning()).toEqual(expected);
  // Once more finds nothing.
  expect(await afterPruning()).toEqual(expected);
});

test('removes nothing from a transaction on that is still open: readers have not seen what it will write', async () => {
  const open = owner.createQueryRunner();
  await open.startTransaction();
  const [row] = (await open.query('select pg_current_xact_id()::text as tx')) as { tx: string }[];
  const tx = Number(row?.tx);
  await save([
    [5, 200],
    [tx + 1, 10],
  ]);
  const { left, prunedUntil } = await afterPruning();
  await open.rollbackTransaction();
  await open.release();
  expect(left).toEqual([tx + 1]);
  // Perhaps a transaction of another suite is older.
  expect(prunedUntil).toBeGreaterThan(5);
  expect(prunedUntil).toBeLessThanOrEqual(tx);
});
