import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createDataSource, migrate, writeKeyCheck } from '@tiltak/database';
import { createDatabase, createWorkDir, freePort, startPostgres, type LocalPostgres } from '@tiltak/testing';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';

/** Two replicas of the database behind one address, the second of which is behind. */
const BEHIND_MS = 600;

let api: TestApi;
let second: LocalPostgres;
let secondOwner: DataSource;
const directory = createWorkDir('replikaer');
let databases: number[] = [];
let connections = 0;
const balancer = createServer((near) => {
  const port = databases[connections++ % databases.length];
  const far = connect(port ?? 0, '127.0.0.1');
  near.pipe(far).pipe(near);
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const)
    one.on('error', () => undefined).on('close', () => other.destroy());
});

beforeAll(async () => {
  balancer.listen(0, '127.0.0.1');
  await once(balancer, 'listening');
  const { port } = balancer.address() as AddressInfo;
  databases = [Number(new URL(process.env['TEST_POSTGRES_URL'] ?? '').port)];
  api = await startTestApi({ DB_REPLIKA_HOST: '127.0.0.1', DB_REPLIKA_PORT: String(port) });
  second = await startPostgres({
    port: await freePort(),
    dataDir: join(directory.directory, 'postgres'),
    logFile: join(directory.directory, 'postgres.log'),
  });
  secondOwner = await copySetup(second);
  databases.push(second.port);
}, 120_000);
afterAll(async () => {
  await api.stop();
  balancer.close();
  await secondOwner.destroy();
  await second.stop();
  directory.clean();
});

/** The same database, empty, with the same login of the query-api. */
async function copySetup({ url }: LocalPostgres): Promise<DataSource> {
  const copy = await createDatabase(url, api.database.database.replace('tiltak_', ''));
  const owner = await createDataSource({
    ...copy,
    ...copy.migrering,
    ...{
      sslmode: 'disable',
      poolSize: 2,
      applicationName: 'spec',
      statementTimeoutMs: 30_000,
      connectTimeoutMs: 9_000,
    },
  }).initialize();
  await migrate(owner);
  await writeKeyCheck(owner, deltakerId);
  const superuser = new pg.Client({ connectionString: url });
  await superuser.connect();
  const { username, password } = api.database.queryApi;
  await superuser.query(`alter role ${username} password '${password}'`);
  await superuser.end();
  return owner;
}

/** An avtale is there, and then everything is included up to a moment after it was published. */
async function apply(owner: DataSource, number: number, included: Date): Promise<void> {
  if (number > 0)
    await owner.query(
      `insert into avtale (avtale_id, avtale_nr, feilregistrert, kilde_partisjon, kilde_offset, sist_endret)
       values (gen_random_uuid(), $1::int, false, 0, $1::int, now())`,
      [number],
    );
  await owner.query(
    `insert into konsum_status values ('t', 0, 0, $1) on conflict (topic, partisjon) do update set oppdatert_til = $1`,
    [included],
  );
}

test('two replicas behind one address, one behind: every answer is of what it says', async () => {
  await Promise.all([api.owner, secondOwner].map((owner) => apply(owner, 0, new Date())));
  const published = new Map<number, number>();
  const behind: Promise<void>[] = [];
  const seen = { found: 0, missing: 0, late: 0, violations: 0 };
  let done = false;
  const ask = async (): Promise<void> => {
    while (!done) {
      const [number = 0, at = Infinity] = [...published].at(-1 - Math.floor(Math.random() * 5)) ?? [];
      const { status, headers } = await api.call('GET', `/api/v1/avtaler/nummer/${String(number)}`);
      const updated = Date.parse(headers.get('data-oppdatert') ?? '');
      if (status === 200) seen.found++;
      if (status === 404) seen.missing++;
      if (status === 404 && updated < at) seen.late++;
      if (status === 404 && updated >= at) seen.violations++;
    }
  };
  const asking = Array.from({ length: 6 }, ask);
  const publish = async (number: number): Promise<void> => {
    published.set(number, Date.now());
    await wait(5);
    const included = new Date();
    await apply(api.owner, number, included);
    behind.push(wait(BEHIND_MS).then(() => apply(secondOwner, number, included)));
    await wait(50);
  };
  try {
    for (let number = 1; number <= 40; number++) await publish(number);
  } finally {
    done = true;
    await Promise.all([...asking, ...behind]);
  }
  // Both were asked, and the one that is behind said so.
  expect(seen.found).toBeGreaterThan(0);
  expect(seen.late).toBeGreaterThan(0);
  expect(seen).toMatchObject({ violations: 0, missing: seen.late });
}, 60_000);

test('every operation says what it is as of, also that there is no such avtale, and what is refused says nothing', async () => {
  const asOf = async (method: string, path: string, body?: unknown): Promise<[number, boolean]> => {
    const { status, headers } = await api.call(method, path, body === undefined ? {} : { body });
    return [status, headers.has('data-oppdatert')];
  };
  await Promise.all([api.owner, secondOwner].map((owner) => apply(owner, 0, new Date())));
  expect(await asOf('GET', '/api/v1/avtaler/nummer/987654')).toEqual([404, true]);
  expect(await asOf('GET', '/api/v1/eksport')).toEqual([200, true]);
  expect(await asOf('GET', '/api/v1/endringer')).toEqual([200, true]);
  expect(await asOf('GET', '/api/v1/ferskhet')).toEqual([200, true]);
  expect(await asOf('GET', '/api/v1/statistikk?per=STATUS')).toEqual([200, true]);
  expect(await asOf('POST', '/graphql', { query: '{ __typename }' })).toEqual([200, true]);
  expect(await asOf('POST', '/api/v1/avtaler/sok', { antall: 'x' })).toEqual([400, false]);
});

test('a moment that is later than now is told as now', async () => {
  await Promise.all([api.owner, secondOwner].map((owner) => apply(owner, 0, new Date(Date.now() + 600_000))));
  const { headers } = await api.call('POST', '/api/v1/avtaler/sok', { body: {} });
  expect(Date.parse(headers.get('data-oppdatert') ?? '')).toBeLessThanOrEqual(Date.now());
  const { body } = await api.call('GET', '/api/v1/ferskhet');
  expect(Date.parse(String(body.dataOppdatert))).toBeLessThanOrEqual(Date.now());
});

test('a caller whose clock is a little ahead asks about now', async () => {
  const ask = async (aheadMs: number): Promise<number> => {
    const gjeldendePer = new Date(Date.now() + aheadMs).toISOString();
    return (await api.call('POST', '/api/v1/avtaler/sok', { body: { gjeldendePer } })).status;
  };
  expect([await ask(2_000), await ask(60_000)]).toEqual([200, 400]);
});

test('readiness tells that no look-up can be answered, and of what', async () => {
  const missing = async (): Promise<unknown> =>
    ((await (await fetch(`${api.url}/internal/isready`)).json()) as { mangler: string[] }).mangler;
  await waitForMissing(missing, []);
  await api.owner.query('revoke insert on oppslagslinje from datadeling_leser');
  await waitForMissing(missing, ['revisjon']);
  await api.owner.query('grant insert on oppslagslinje to datadeling_leser');
  await waitForMissing(missing, []);
  await Promise.all([api.owner, secondOwner].map((owner) => owner.query('truncate konsum_status')));
  await waitForMissing(missing, ['forste_last']);
});

async function waitForMissing(missing: () => Promise<unknown>, expected: string[]): Promise<void> {
  let found: unknown;
  for (let round = 0; round < 200; round++) {
    found = await missing();
    if (JSON.stringify(found) === JSON.stringify(expected)) return;
    await wait(100);
  }
  expect(found).toEqual(expected);
}
