import { setTimeout as wait } from 'node:timers/promises';
import { LOCKS, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import { startTestApi, type TestResponse, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
let writer: pg.Pool;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  writer = new pg.Pool({ connectionString: api.database.url, max: 12 });
  writer.on('error', () => undefined);
  writer.on('connect', (client) => void client.on('error', () => undefined));
});
// Trimmed, as the feed is: whoever follows it takes what has been read to stay.
beforeEach(() =>
  api.owner.query(`delete from endring; update instans set beskaaret_til = pg_snapshot_xmin(pg_current_snapshot())`),
);
afterAll(async () => {
  await writer.end();
  await api.stop();
});

const avtale = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const INSERT = `insert into endring (avtale_id, type) values ($1, 'ENDRET')`;

async function read(after: string | undefined, { antall: count = 100, wait = 0 } = {}): Promise<TestResponse> {
  const from = after === undefined ? '' : `&etter=${after}`;
  return api.call('GET', `/api/v1/endringer?antall=${String(count)}&ventSekunder=${String(wait)}${from}`);
}

const ids = ({ body }: TestResponse): string[] =>
  (body.endringer as { avtaleId: string }[]).map(({ avtaleId }) => avtaleId);

test('changes in order, page by page, and then the same position', async () => {
  for (const n of [1, 2, 3]) await api.owner.query(INSERT, [avtale(n)]);
  await api.owner.query(`insert into endring (avtale_id, type, aarsak) values ($1, 'SLETTET', 'FEILREGISTRERT')`, [
    avtale(1),
  ]);
  await api.feedSeen();
  const first = await read(undefined, { antall: 3 });
  expect(ids(first)).toEqual([1, 2, 3].map(avtale));
  expect(first.body.flere).toBe(true);
  expect(first.body.endringer[0]).toEqual({
    avtaleId: avtale(1),
    type: 'ENDRET',
    tidspunkt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    _links: { avtale: { href: `/api/v1/avtaler/${avtale(1)}` } },
  });
  const others = await read(first.body.posisjon, { antall: 3 });
  expect(others.body.endringer).toEqual([
    expect.objectContaining({ avtaleId: avtale(1), type: 'SLETTET', aarsak: 'FEILREGISTRERT', _links: {} }),
  ]);
  expect(others.body.flere).toBe(false);
  const empty = await read(others.body.posisjon);
  expect(empty.body).toEqual({ endringer: [], posisjon: others.body.posisjon, flere: false });
});

test('each look into the feed is audited', async () => {
  const headers = { 'Nav-Call-Id': 'se-i-strommen' };
  await api.call('GET', '/api/v1/endringer', { headers });
  const lookup = await api.owner.query(`select operasjon, felter, antall_treff from oppslag where call_id = $1`, [
    headers['Nav-Call-Id'],
  ]);
  expect(lookup).toEqual([{ operasjon: 'hentEndringer', felter: ['avtaleId'], antall_treff: 0 }]);
});

/** A transaction that has taken its id and its place, and not ended. */
async function open(n: number): Promise<pg.PoolClient> {
  const client = await writer.connect();
  await client.query('begin');
  await client.query(INSERT, [avtale(n)]);
  return client;
}

test('what commits before an older transaction has ended waits for it', async () => {
  const { posisjon: position } = (await read(undefined)).body;
  const older = await open(1);
  await writer.query(INSERT, [avtale(2)]);
  expect((await read(position)).body).toEqual({ endringer: [], posisjon: position, flere: false });
  await older.query('commit');
  older.release();
  await api.feedSeen();
  expect(ids(await read(position))).toEqual([1, 2].map(avtale));
});

test('an older transaction that is rolled back holds nothing up afterwards', async () => {
  const older = await open(1);
  await writer.query(INSERT, [avtale(2)]);
  await older.query('rollback');
  older.release();
  await api.feedSeen();
  expect(ids(await read(undefined))).toEqual([avtale(2)]);
});

/** What a connection has asked last stands there until it asks something else: only who waits asks over and over. */
async function untilReaderWaits({ database }: TestApi): Promise<void> {
  const observer = new pg.Client({ connectionString: database.url });
  await observer.connect();
  const reading = `select query_start::text from pg_stat_activity where datname = current_database()
    and query like '%with tilstand as%' and pid <> pg_backend_pid() and query_start > $1`;
  const { rows } = await observer.query<{ now: string }>('select clock_timestamp()::text as now');
  const seen = new Set<string>();
  const poll = async (): Promise<boolean> => {
    const found = await observer.query<{ query_start: string }>(reading, [rows[0]?.now]);
    for (const { query_start: start } of found.rows) seen.add(start);
    return seen.size > 2;
  };
  await waitUntil(poll, { what: 'the reader to wait', everyMs: 10 });
  await observer.end();
}

describe('a reader that waits', () => {
  test('is answered when something is committed, and only then', async () => {
    const { posisjon: position } = (await read(undefined)).body;
    const openTransaction = await open(1);
    let answered = false;
    const response = read(position, { wait: 30 }).finally(() => (answered = true));
    await wait(300);
    expect(answered).toBe(false);
    await openTransaction.query('commit');
    openTransaction.release();
    expect(ids(await response)).toEqual([avtale(1)]);
  });

  test('gets an empty page when the time is out', async () => {
    const { posisjon: position } = (await read(undefined)).body;
    expect((await read(position, { wait: 1 })).body).toEqual({ endringer: [], posisjon: position, flere: false });
  });

  test('is told at once when its position can not be used any more', async () => {
    const { posisjon: position } = (await read(undefined)).body;
    const response = read(position, { wait: 30 });
    await untilReaderWaits(api);
    await api.owner.query('update instans set epoke = gen_random_uuid()');
    expect((await response).status).toBe(410);
  });

  test('is let go when the process stops', async () => {
    const own = await startTestApi();
    await own.setFreshness(new Date());
    const response = own.call('GET', '/api/v1/endringer?ventSekunder=30');
    await untilReaderWaits(own);
    await own.stop();
    expect((await response).status).toBe(200);
  });
});

describe('a position', () => {
  test.each(['x', 'N2Y5YzJl', encodeURIComponent('{"tx":1}')])('that is made up is refused: %s', async (after) => {
    const response = await read(after);
    expect([response.status, response.body.feil]).toEqual([
      400,
      [{ felt: 'etter', melding: 'is not a position from an answer' }],
    ]);
  });

  test('that was changed is refused', async () => {
    const { posisjon: position } = (await read(undefined)).body as { posisjon: string };
    const [epoch, , sequenceNumber, digits] = Buffer.from(position, 'base64url').toString().split('.');
    const changed = Buffer.from([epoch, 'zz', sequenceNumber, digits].join('.')).toString('base64url');
    expect((await read(changed)).status).toBe(400);
  });

  test('from another epoch is gone, and the answer tells where to start again', async () => {
    const { posisjon: position } = (await read(undefined)).body;
    await api.owner.query('update instans set epoke = gen_random_uuid()');
    const response = await read(position);
    expect([response.status, response.body.type]).toEqual([410, 'urn:tiltak-datadeling:feil:utgaatt']);
    expect((await api.call('GET', response.body.nyStart.endringer)).status).toBe(200);
    expect((await api.call('GET', response.body.nyStart.eksport)).status).toBe(200);
  });

  test('from before what was removed for age is gone; one at the edge is not', async () => {
    for (const n of [1, 2, 3]) await api.owner.query(INSERT, [avtale(n)]);
    await api.feedSeen();
    const [en, to, three] = await Promise.all([1, 2, 3].map((count) => read(undefined, { antall: count })));
    await api.owner.query(`
      with kant as (update instans set beskaaret_til = (select tx from endring order by tx offset 1 limit 1) returning beskaaret_til)
      delete from endring using kant where tx < beskaaret_til`);
    expect((await read(en?.body.posisjon)).status).toBe(410);
    expect(ids(await read(to?.body.posisjon))).toEqual([avtale(3)]);
    expect(ids(await read(three?.body.posisjon))).toEqual([]);
    expect(ids(await read(undefined))).toEqual([2, 3].map(avtale));
    await api.owner.query(`update instans set beskaaret_til = '0'`);
  });
});

test('a position whose feed is trimmed while it is read is gone: nothing is passed by', async () => {
  for (const n of [1, 2, 3]) await api.insertChange(avtale(n));
  const { posisjon: position } = (await read(undefined, { antall: 1 })).body;
  const pruning = await writer.connect();
  await pruning.query('begin; lock table endring in access exclusive mode');
  const response = read(position);
  const held = `select from ${LOCKS} where not granted`;
  await waitUntil(async () => (await api.owner.query<unknown[]>(held)).length > 0, { what: 'the reader to read' });
  await pruning.query(`update instans set beskaaret_til = (select max(tx) from endring)`);
  await pruning.query(`delete from endring where tx < (select beskaaret_til from instans); commit`);
  pruning.release();
  expect((await response).status).toBe(410);
  await api.owner.query(`update instans set beskaaret_til = '0'`);
});

/** Writers as several ingestors are: transactions of any length, some rolled back, some whose connection is killed. */
async function write(id: number, count: number, random: () => number): Promise<string[]> {
  const written: string[] = [];
  for (let i = 0; i < count; i++) {
    const client = await writer.connect();
    const own = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, n) => avtale(id * 100_000 + i * 10 + n));
    const end = random();
    try {
      await client.query('begin');
      for (const en of own) {
        await client.query(INSERT, [en]);
        await wait(random() * 4);
      }
      if (random() < 0.05) await wait(150);
      if (end < 0.1) await client.query('rollback');
      else if (end < 0.2) await client.query('select pg_terminate_backend(pg_backend_pid())');
      else {
        await client.query('commit');
        written.push(...own);
      }
      client.release();
    } catch {
      client.release(true);
    }
  }
  return written;
}

test('readers that follow the feed get every committed change exactly once, whatever the writers do', async () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  let done = false;
  const reader = async (count: number, waitSeconds: number): Promise<string[]> => {
    const wasRead: string[] = [];
    let position: string | undefined;
    for (;;) {
      const lastRound = done;
      const response = await read(position, { antall: count, wait: lastRound ? 0 : waitSeconds });
      wasRead.push(...ids(response));
      position = response.body.posisjon;
      if (lastRound && !response.body.flere) return wasRead;
    }
  };
  const readers = [reader(3, 1), reader(50, 0), reader(1_000, 1)];
  const written = (await Promise.all([1, 2, 3, 4, 5, 6].map((id) => write(id, 40, random)))).flat();
  await api.feedSeen();
  done = true;
  const wasRead = await Promise.all(readers);
  expect(written.length).toBeGreaterThan(200);
  for (const en of wasRead) expect([...en].sort()).toEqual([...written].sort());
  // All in the same order.
  expect(wasRead[1]).toEqual(wasRead[0]);
  expect(wasRead[2]).toEqual(wasRead[0]);
}, 60_000);
