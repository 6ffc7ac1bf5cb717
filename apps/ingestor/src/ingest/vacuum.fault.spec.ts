import { testEnvironment, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import { batch, ID, message, startTestIngest, type TestIngest } from '../testing/test-ingest.ts';

let setup: TestIngest;
let server: pg.Client;
beforeAll(async () => {
  setup = await startTestIngest();
  await setup.empty();
  server = new pg.Client({ connectionString: testEnvironment().postgres });
  await server.connect();
  // As often as it can be: as many changes as there are avtaler come in seconds here, and take hours at 500 a second.
  await server.query(`alter system set autovacuum_naptime = '1s'`);
  await server.query('select pg_reload_conf()');
}, 60_000);
afterAll(async () => {
  await server.query('alter system reset autovacuum_naptime');
  await server.query('select pg_reload_conf()');
  await server.end();
  await setup.stop();
});

const COUNT = 3_000;
const GROUP = 300;
const ROUNDS = 8;
let offset = 0;

/** All avtaler, each once; of every second one, the status and the dates are others than before. */
async function changeAll(round: number): Promise<void> {
  const status = round % 2 === 0 ? 'GJENNOMFØRES' : 'AVSLUTTET';
  for (let from = 0; from < COUNT; from += GROUP) {
    const messages = Array.from({ length: GROUP }, (_, i) => {
      const n = ((from + i) * 1_301) % COUNT;
      const keys = n % 2 === 0 ? { avtaleStatus: status, startDato: `2026-01-${String(10 + round)}` } : {};
      return message(offset++, {
        ...{ avtaleId: `${String(n).padStart(8, '0')}${ID.slice(8)}`, avtaleNr: n, versjon: round, ...keys },
        sistEndret: `2026-01-01T00:00:${String(10 + round)}Z`,
      });
    });
    await setup.groupWriter.write([batch(messages)]);
  }
}

interface Kept {
  updated: number;
  alive: number;
  dead: number;
  /** of the table and its indexes, bytes */
  size: number;
}

async function readKept(): Promise<Kept | undefined> {
  const [row] = await setup.owner.query<Kept[]>(
    `select n_tup_upd::int as updated, n_live_tup::int as alive, n_dead_tup::int as dead, pg_total_relation_size(relid)::int as size
     from pg_stat_user_tables where relname = 'avtale'`,
  );
  return row;
}

test('vacuum keeps up with avtaler that change without end: dead rows are bounded, and the table grows no more', async () => {
  await changeAll(0);
  const sizes: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    await changeAll(round);
    // What its sessions have counted is told when they have been idle, and then a vacuum is due.
    const { size } = await waitUntil(
      async () => {
        const kept = await readKept();
        return kept && kept.updated >= round * COUNT && kept.dead <= 50 + 0.1 * kept.alive ? kept : undefined;
      },
      { what: 'a vacuum', maxMs: 60_000 },
    );
    sizes.push(size);
  }
  expect(Math.max(...sizes.slice(ROUNDS / 2))).toBeLessThanOrEqual(1.1 * Math.max(...sizes.slice(0, ROUNDS / 2)));
}, 600_000);
