import { Agent, get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const FOLLOWERS = 150;
/** On a page of a follower: no other statement reads as many. */
const PAGE = 77;

let api: TestApi;
let writer: pg.Pool;
let authorization: string;
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

beforeAll(async () => {
  api = await startTestApi({ DB_POOL_SIZE: '4' });
  await api.setFreshness(new Date());
  writer = new pg.Pool({ connectionString: api.database.url, max: 6 });
  authorization = `Bearer ${await api.issuer.token({ azp: 'alt' })}`;
});
afterAll(async () => {
  agent.destroy();
  await writer.end();
  await api.stop();
});

const avtale = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const insert = (db: pg.Pool | pg.PoolClient, n: number): Promise<unknown> =>
  db.query(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [avtale(n)]);

interface Page {
  endringer: { avtaleId: string }[];
  posisjon: string;
}

/** As a client does it: what can't be answered just then is asked again, from the same place. */
async function read(after: string, seconds: number): Promise<Page> {
  const url = `${api.url}/api/v1/endringer?antall=${String(PAGE)}&ventSekunder=${String(seconds)}&etter=${after}`;
  for (;;) {
    const { status, body } = await new Promise<{ status: number | undefined; body: string }>((done, failed) => {
      get(url, { agent, headers: { authorization } }, (response) => {
        text(response).then((body) => done({ status: response.statusCode, body }), failed);
      }).on('error', failed);
    });
    if (status === 200) return JSON.parse(body) as Page;
    if (status !== 503) throw new Error(body);
    await wait(100);
  }
}

/** Goes on from page to page until it has read as many changes. */
async function follow(from: string, count: number): Promise<string[]> {
  const seen: string[] = [];
  for (let position = from; seen.length < count;) {
    const page = await read(position, 20);
    seen.push(...page.endringer.map(({ avtaleId }) => avtaleId));
    position = page.posisjon;
  }
  return seen;
}

/** Where the feed ends, from there on. */
async function endOf(from: string): Promise<string> {
  let page: Page & { flere: boolean };
  let position = from;
  do {
    page = (await api.call('GET', `/api/v1/endringer?antall=1000&etter=${position}`)).body as Page & { flere: boolean };
    position = page.posisjon;
  } while (page.flere);
  return position;
}

/** Counts the statements that followers read by, one for each that can't be answered from what the tail has. */
async function countOwnStatements(work: () => Promise<void>): Promise<number> {
  const { prototype } = pg.Client as unknown as { prototype: { query: (...args: unknown[]) => unknown } };
  const { query } = prototype;
  let count = 0;
  prototype.query = function counted(...args) {
    if ((args[0] as { values?: unknown[] } | undefined)?.values?.[2] === PAGE) count++;
    return query.apply(this, args);
  };
  try {
    await work();
    return count;
  } finally {
    prototype.query = query;
  }
}

/** Six that write at once: each commit is of a transaction that began before others that are committed already. */
async function write(from: number, count: number): Promise<void> {
  const one = async (n: number): Promise<void> => {
    const client = await writer.connect();
    await client.query('begin');
    await insert(client, from + n);
    await wait((n * 7) % 20);
    if (n % 10 === 9) await client.query('rollback');
    else await client.query('commit');
    client.release();
  };
  await Promise.all(Array.from({ length: count }, (_, n) => one(n)));
}

test('hundreds of followers get every change after their position once, in one order, by the statements of one', async () => {
  await insert(writer, 0);
  await api.feedSeen();
  const { body } = await api.call('GET', '/api/v1/endringer');
  const start = (body as Page).posisjon;
  const own = await countOwnStatements(async () => {
    const followers = Array.from({ length: FOLLOWERS }, () => follow(start, 54));
    await write(1, 60);
    const seen = await Promise.all(followers);
    const expected = Array.from({ length: 60 }, (_, n) => n).flatMap((n) => (n % 10 === 9 ? [] : [avtale(1 + n)]));
    expect([...(seen[0] ?? [])].sort()).toEqual(expected);
    expect(new Set(seen.map((changes) => changes.join())).size).toBe(1);
  });
  // Once each, when the tail begins after them.
  expect(own).toBeLessThanOrEqual(FOLLOWERS);
}, 60_000);

test('who is further behind than what the tail keeps reads for itself, and then follows with the others', async () => {
  const beginning = ((await api.call('GET', '/api/v1/endringer?antall=1')).body as Page).posisjon;
  const { posisjon: from } = (await api.call('GET', `/api/v1/endringer?antall=1000&etter=${beginning}`)).body as Page;
  await writer.query(
    `insert into endring (avtale_id, type) select gen_random_uuid(), 'ENDRET' from generate_series(1, 6000)`,
  );
  await api.feedSeen();
  let seen: string[] = [];
  const own = await countOwnStatements(async () => {
    const [behind, ahead] = [follow(from, 6_001), follow(await endOf(from), 1)];
    await insert(writer, 1_001);
    expect((await ahead)[0]).toBe(avtale(1_001));
    seen = await behind;
  });
  expect(own).toBeGreaterThan(0);
  expect(new Set(seen).size).toBe(6_001);
  expect(seen.at(-1)).toBe(avtale(1_001));
});

test('followers that wait take nothing of what their consumer has for look-ups', async () => {
  const end = await endOf(((await api.call('GET', '/api/v1/endringer?antall=1000')).body as Page).posisjon);
  const waiting = Array.from({ length: FOLLOWERS }, () => read(end, 30));
  const left = async (): Promise<string | null> =>
    (await api.call('POST', '/api/v1/avtaler/sok', { body: {} })).headers.get('ratelimit');
  // 200 in all, of which this one has one.
  while ((await left()) !== '"samtidige";r=199') await wait(20);
  await insert(writer, 2_000);
  for (const page of await Promise.all(waiting)) expect(page.endringer[0]?.avtaleId).toBe(avtale(2_000));
  expect(await left()).toBe('"samtidige";r=199');
});
