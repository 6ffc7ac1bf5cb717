import { createHash } from 'node:crypto';
import { LOCKS } from '@tiltak/database';
import fc from 'fast-check';
import type { PoolClient } from 'pg';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { lockDeltakere, MOST_OWN_LOCKS } from './relations.queries.ts';

let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());

/** As an HMAC gives them. */
function id(n: number): string {
  const hex = createHash('sha256').update(String(n)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
const ids = (from: number, count: number): string[] => Array.from({ length: count }, (_, n) => id(from + n));

/** Who waits gives up at once. */
async function begin(): Promise<PoolClient> {
  const db = await setup.pool.connect();
  await db.query(`begin; set local lock_timeout = '100'`);
  return db;
}

const withTwo = async (work: (a: PoolClient, b: PoolClient) => Promise<void>): Promise<void> => {
  const both = [await begin(), await begin()] as const;
  try {
    await work(...both);
  } finally {
    for (const db of both) db.release(true);
  }
};

const waits = { code: '55P03' };

test('transactions of different participants do not wait for each other, however many each has', () =>
  withTwo(async (a, b) => {
    await lockDeltakere(a, ids(0, MOST_OWN_LOCKS));
    await lockDeltakere(b, ids(MOST_OWN_LOCKS, MOST_OWN_LOCKS));
  }));

test.each([
  ['one that has it too', ids(7, 2), MOST_OWN_LOCKS],
  ['one that has too many', ids(7, 2), 1],
])('who has a participant is waited for, by %s', (_, others, most) =>
  withTwo(async (a, b) => {
    await lockDeltakere(a, ids(5, 3));
    await expect(lockDeltakere(b, others, most)).rejects.toMatchObject(waits);
  }),
);

test('who has too many is waited for, and so is a version that knows of no others', () =>
  withTwo(async (a, b) => {
    await lockDeltakere(a, ids(0, 2), 1);
    await expect(lockDeltakere(b, ids(1, 1))).rejects.toMatchObject(waits);
    const old = await begin();
    try {
      await old.query(`select pg_advisory_xact_lock(${LOCKS.DELTAKERE}, $1)`, [
        Number.parseInt(id(9).slice(0, 8), 16) % 1_024,
      ]);
      await a.query('rollback; begin');
      await a.query(`set local lock_timeout = '100'`);
      await expect(lockDeltakere(a, [id(9)])).rejects.toMatchObject(waits);
    } finally {
      old.release(true);
    }
  }));

test('any mix of transactions: a participant is one transaction’s at a time, and none waits for ever', async () => {
  const transaction = fc.record({
    // Few, so that they meet.
    of: fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 12 }),
    most: fc.constantFrom(4, 8, MOST_OWN_LOCKS),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(transaction, { minLength: 1, maxLength: 6 }), { maxLength: 4 }), async (all) => {
      const held = new Map<number, number>();
      const writer = async (transactions: (typeof all)[number], who: number): Promise<void> => {
        const db = await setup.pool.connect();
        try {
          for (const { of, most } of transactions) {
            await db.query('begin');
            await lockDeltakere(db, of.map(id), most);
            for (const one of of) {
              expect(held.get(one)).toBeUndefined();
              held.set(one, who);
            }
            await db.query('select pg_sleep(0.001)');
            for (const one of of) held.delete(one);
            await db.query('commit');
          }
        } finally {
          db.release(true);
        }
      };
      await Promise.all(all.map(writer));
    }),
    { numRuns: 25 },
  );
}, 60_000);
