import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  createWorkDir,
  freePort,
  startPostgres,
  startStandby,
  waitUntil,
  type LocalPostgres,
  type Standby,
} from '@tiltak/testing';
import pg from 'pg';
import { metrics } from '../metrics.ts';
import { startTestApi, type TestApi, type TestResponse } from '../testing/test-api.ts';

/** A primary, a standby that is to take over, and one that follows that: what the feed and look-ups say on each. */
const { directory, clean } = createWorkDir('feed');
const started: LocalPostgres[] = [];
let standby: Standby;
let follower: Standby;
let api: TestApi;
let onFollower: Awaited<ReturnType<TestApi['startBeside']>>;

async function place(name: string): Promise<{ port: number; dataDir: string; logFile: string }> {
  mkdirSync(directory, { recursive: true });
  return { port: await freePort(), dataDir: join(directory, name), logFile: join(directory, `${name}.log`) };
}

beforeAll(async () => {
  const primary = await startPostgres(await place('primary'));
  started.push(primary);
  api = await startTestApi({}, primary.url);
  await api.setFreshness(new Date());
  // What a server says of itself at a checkpoint comes an hour late.
  const settings = { checkpoint_timeout: '1h' };
  standby = await startStandby(primary, { ...(await place('standby')), settings });
  started.push(standby);
  follower = await startStandby(standby, { ...(await place('follower')), settings });
  started.push(follower);
  await follower.caughtUp();
  onFollower = await api.startBeside({ DB_REPLIKA_HOST: '127.0.0.1', DB_REPLIKA_PORT: String(follower.port) });
}, 240_000);

afterAll(async () => {
  await onFollower.stop();
  await api.stopApp();
  await api.issuer.stop();
  await api.owner.destroy();
  for (const server of started.reverse()) await server.stop();
  clean();
});

const avtale = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const changes = (after: string, { call }: Pick<TestApi, 'call'> = api): Promise<TestResponse> =>
  call('GET', `/api/v1/endringer?etter=${after}`);
const number = (n: number, atLeast: string, { call }: Pick<TestApi, 'call'>): Promise<TestResponse> =>
  call('GET', `/api/v1/avtaler/${avtale(n)}`, { headers: { 'Minst-Posisjon': atLeast } });

async function start(): Promise<string> {
  return (await api.call('GET', '/api/v1/endringer?antall=1000')).body.posisjon as string;
}

async function on(server: LocalPostgres, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: server.url.replace(/\/postgres$/, `/${api.database.database}`) });
  await client.connect();
  try {
    return (await client.query<{ value: unknown }>(sql)).rows[0]?.value;
  } finally {
    await client.end();
  }
}

const epochOn = (server: LocalPostgres): Promise<unknown> => on(server, 'select endringsepoke() as value');

test('an answer from a replica that lags is not given to who has heard of more, until it has come so far', async () => {
  await api.insertAvtale({ avtale_id: avtale(1), avtale_nr: 1 });
  await api.insertChange(avtale(1));
  const before = await start();
  await follower.caughtUp();
  expect((await number(1, before, onFollower)).body.avtaleNr).toBe(1);

  await follower.pause();
  await api.owner.query('update avtale set avtale_nr = 2');
  await api.insertChange(avtale(1));
  const page = await changes(before);
  expect(page.body.endringer).toHaveLength(1);
  // Who does not say what they have heard of is answered with what is there.
  expect((await onFollower.call('GET', `/api/v1/avtaler/${avtale(1)}`)).body.avtaleNr).toBe(1);
  const late = await number(1, page.body.posisjon, onFollower);
  expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1']);
  expect((await number(1, page.body.posisjon, api)).body.avtaleNr).toBe(2);

  // It waits for a little while.
  const waiting = number(1, page.body.posisjon, onFollower);
  await follower.resume();
  expect((await waiting).body.avtaleNr).toBe(2);
}, 60_000);

test('of two replicas, the one that is behind is not asked by who has heard of more, leaves when it is far behind, and is back by itself', async () => {
  await api.setFreshness(new Date(Date.now() - 60_000));
  await follower.caughtUp();
  const [first, second] = [standby, follower].map(({ port }) => `127.0.0.1:${String(port)}`);
  const onBoth = await api.startBeside({
    DB_REPLIKA_HOST: `${String(first)},${String(second)}`,
    DB_REPLIKA_MAKS_ETTERSLEP_SEKUNDER: '2',
  });
  const inUse = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await metrics.replicaInUse.get()).values.map(({ labels, value }) => [labels.replika, value]));
  expect(await inUse()).toEqual({ [String(first)]: 1, [String(second)]: 1 });

  await follower.pause();
  const before = await start();
  await api.owner.query('update avtale set avtale_nr = 3');
  await api.insertChange(avtale(1));
  const { body } = await changes(before);
  await standby.caughtUp();
  const told: number[] = [];
  for (let n = 0; n < 12; n++) told.push((await number(1, body.posisjon, onBoth)).body.avtaleNr);
  expect(told).toEqual(Array.from({ length: 12 }, () => 3));
  // Who says nothing of it is answered by either.
  const asked = async (): Promise<Set<number>> => {
    const answers: number[] = [];
    for (let n = 0; n < 12; n++)
      answers.push((await onBoth.call('GET', `/api/v1/avtaler/${avtale(1)}`)).body.avtaleNr as number);
    return new Set(answers);
  };
  expect(await asked()).toEqual(new Set([2, 3]));

  await api.setFreshness(new Date());
  // On a busy machine it may leave for being silent first, and be back before it is known how far behind it is.
  const isLeft = async (): Promise<boolean> => (await inUse())[String(second)] === 0 && !(await asked()).has(2);
  try {
    await waitUntil(isLeft, { what: 'the one behind to leave, and not to be asked' });
  } finally {
    await follower.resume();
  }
  await waitUntil(async () => (await inUse())[String(second)] === 1, { what: 'it to be back' });
  expect(await asked()).toEqual(new Set([3]));
  await onBoth.stop();
}, 60_000);

test.each(['x', 'N2Y5YzJl'])('a position that is made up is refused: %s', async (position) => {
  const { status, body } = await number(1, position, api);
  expect([status, body.feil?.[0].felt]).toEqual([400, 'Minst-Posisjon']);
});

test('a standby that has taken over is another epoch at once, and so is who follows it: nothing is passed by', async () => {
  await api.insertChange(avtale(1));
  const known = await start();
  await follower.caughtUp();
  const epoch = await epochOn(started[0] as LocalPostgres);
  expect([await epochOn(standby), await epochOn(follower)]).toEqual([epoch, epoch]);
  expect((await changes(known, onFollower)).status).toBe(200);

  // What the standby never gets: its numbers are given out once more.
  await on(standby, `alter system set primary_conninfo = ''`);
  await on(standby, 'select pg_reload_conf() as value');
  while (Number(await on(standby, 'select count(*) as value from pg_stat_wal_receiver')) > 0);
  await api.insertChange(avtale(2));
  const lost = await start();
  const onStandby = await api.startBeside({ DB_PORT: String(standby.port), DB_HOST: '127.0.0.1' });
  await (started[0] as LocalPostgres).kill();
  await standby.promote();
  expect(await epochOn(standby)).not.toBe(epoch);
  for (const position of [known, lost]) expect((await changes(position, onStandby)).status).toBe(410);
  expect((await number(1, lost, onStandby)).status).toBe(410);

  // Who follows has it with the first line at the latest.
  await on(standby, `insert into endring (avtale_id, type) values ('${avtale(3)}', 'ENDRET')`);
  await follower.caughtUp();
  expect(await epochOn(follower)).toBe(await epochOn(standby));
  await onStandby.stop();
}, 60_000);
