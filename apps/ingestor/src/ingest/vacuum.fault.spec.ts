import { createEvents, createUpdates, type SourceMessage } from '@tiltak/simulator';
import { testEnvironment, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import type { RawMessage } from '../kafka/batch.ts';
import { batch, startTestIngest, type TestIngest } from '../testing/test-ingest.ts';

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

const MESSAGES = 10_000;
const GROUP = 500;
let offset = 0;

async function play(messages: readonly SourceMessage[]): Promise<void> {
  for (let from = 0; from < messages.length; from += GROUP) {
    const group = messages.slice(from, from + GROUP).map(({ key, value }): RawMessage => ({
      offset: offset++,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    }));
    await setup.groupWriter.write([batch(group)]);
  }
}

/** Later than all that was said before, each time. */
function later(messages: readonly SourceMessage[], round: number): SourceMessage[] {
  const sistEndret = `"sistEndret":"${String(2100 + round)}`;
  return messages.map(({ key, value }) => ({
    key,
    value: value === null ? null : String(value).replace(/"sistEndret":"\d{4}/, sistEndret),
  }));
}

interface Kept {
  alive: number;
  dead: number;
  /** of the table and its indexes, bytes */
  size: number;
}

async function readKept(): Promise<Kept | undefined> {
  const [row] = await setup.owner.query<Kept[]>(
    `select n_live_tup::int as alive, n_dead_tup::int as dead, pg_total_relation_size(relid)::int as size
     from pg_stat_user_tables where relname = 'avtale'`,
  );
  return row;
}

test('vacuum keeps up with avtaler that change without end: dead rows are bounded, and the table grows no more', async () => {
  await play([...createEvents({ count: MESSAGES })]);
  const changes = [...createUpdates({ count: MESSAGES })];
  const sizes: number[] = [];
  for (let round = 0; round < 12; round++) {
    await play(later(changes, round));
    // What its sessions have counted is told when they have been idle, and then a vacuum is due.
    const { size } = await waitUntil(
      async () => {
        const kept = await readKept();
        return kept && kept.alive > 0 && kept.dead <= 50 + 0.1 * kept.alive ? kept : undefined;
      },
      { what: 'a vacuum', maxMs: 60_000 },
    );
    sizes.push(size);
  }
  expect(Math.max(...sizes.slice(6))).toBeLessThanOrEqual(1.1 * Math.max(...sizes.slice(0, 6)));
}, 600_000);
