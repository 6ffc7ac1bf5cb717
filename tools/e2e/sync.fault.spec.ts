import { join } from 'node:path';
import { createWorkDir, freePort, startKafka, startPostgres, waitUntil } from '@tiltak/testing';
import { AdapterApi, type Entry } from '../reference-adapter/api.ts';
import { send, type SyncOptions } from '../reference-adapter/sync.ts';
import type { App } from '../local/apps.ts';
import { AdapterData } from './adapter-data.ts';
import { deviations, RUN_CONTRACT, stored, replay } from './adapter-run.ts';
import { System } from './system.ts';

/** What an adapter must survive, on real processes, and what it takes longer to survive than `npm test` has time for. */
const started: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

async function createSystem(options?: Parameters<typeof System.create>[0]): Promise<System> {
  const system = await System.create(options);
  started.push(() => system.stop());
  return system;
}

async function startAdapter(system: System): Promise<{ app: App; api: AdapterApi }> {
  const app = await system.startIngestor();
  const api = new AdapterApi(app.url, () => system.tokenForAdapter());
  await api.settKontrakt(RUN_CONTRACT);
  return { app, api };
}

/** A page as it is, once: what the ingestor says when it can't. */
async function sendOne(system: System, { url }: App, syncId: string, resources: Entry[]): Promise<Response> {
  return fetch(`${url}/adapter/v1/avtaler/synk`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await system.tokenForAdapter()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      metadata: { synkId: syncId, side: 1, antallSider: 1, antallTotalt: resources.length },
      ressurser: resources,
    }),
  });
}

async function refused503(response: Response): Promise<void> {
  expect([response.status, response.headers.has('retry-after')]).toEqual([503, true]);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ status: 503 });
}

/** A large page: several requests to Kafka, so that there is a middle to be killed in. */
const large = (entry: Entry[], bedriftNavn = 'x'.repeat(800)): Entry[] =>
  entry.map(({ id, ressurs: resource }) => ({ id, ressurs: { ...resource, bedriftNavn } }));

const underway = (system: System): Promise<unknown> =>
  waitUntil(async () => (await system.onTopic()) > 0, { what: 'some of the page on the topic', everyMs: 2 });

/** Served exactly as the adapter's data, with one version of each, and the same once more from the topic. */
async function requireExact(system: System, data: AdapterData): Promise<void> {
  await system.waitForTopic();
  expect(await stored(system)).toEqual(data.expected);
  expect(await system.sql('select avtale_id from avtale_versjon group by 1 having count(*) > 1 limit 5')).toEqual([]);
  expect(await deviations(system)).toEqual([]);
}

test('Kafka is killed midway through a page: nothing of it counts, and sent again it takes effect once', async () => {
  const { directory, clean } = createWorkDir('feil');
  const place = { dataDir: join(directory, 'kafka'), logFile: join(directory, 'kafka.log') };
  const kafka = await startKafka({ port: await freePort(), ...place });
  started.push(() => kafka.stop().then(clean));
  const system = await createSystem({ brokers: kafka.brokers });
  const { app, api } = await startAdapter(system);
  const data = new AdapterData(1, 10_000);
  const page = large(data.fresh(10_000));
  const response = sendOne(system, app, 'avbrutt', page);
  await underway(system);
  await kafka.kill();
  await refused503(await response);
  expect(await system.sql('select 1 from synk')).toEqual([]);
  expect((await fetch(`${app.url}/internal/isalive`)).status).toBe(200);
  await kafka.restart();
  await api.sendPage('POST', {
    metadata: { synkId: 'avbrutt', ...ONE_PAGE, antallTotalt: page.length },
    ressurser: page,
  });
  await requireExact(system, data);
}, 240_000);

const ONE_PAGE = { side: 1, antallSider: 1 };

test('Postgres is away during a page: 503, and sent again it takes effect once', async () => {
  const { directory, clean } = createWorkDir('feil');
  const place = { dataDir: join(directory, 'postgres'), logFile: join(directory, 'postgres.log') };
  const postgres = await startPostgres({ port: await freePort(), ...place });
  started.push(() => postgres.stop().then(clean));
  const system = await createSystem({ postgres: postgres.url });
  const { app, api } = await startAdapter(system);
  const data = new AdapterData(2, 10_000);
  const page = large(data.fresh(10_000));
  const response = sendOne(system, app, 'avbrutt', page);
  await underway(system);
  await postgres.kill();
  await refused503(await response);
  await refused503(await sendOne(system, app, 'avbrutt', page));
  await postgres.restart();
  await api.sendPage('POST', {
    metadata: { synkId: 'avbrutt', ...ONE_PAGE, antallTotalt: page.length },
    ressurser: page,
  });
  await requireExact(system, data);
}, 240_000);

test('an ingestor is killed while a full sync deletes: the other one goes on, and deletes exactly the rest', async () => {
  const system = await createSystem();
  const { app, api } = await startAdapter(system);
  const other = new AdapterApi((await system.startIngestor()).url, () => system.tokenForAdapter());
  const data = new AdapterData(3, 30_000);
  const options: Omit<SyncOptions, 'syncId'> = {
    method: 'POST',
    pageSize: 2_000,
    concurrency: 4,
    progress: () => undefined,
  };
  data.fresh(30_000);
  await send(api, data.all().entry, { ...options, syncId: 'alt' });
  await completed(other, 'alt');
  data.forget(data.selection(600, 3));
  const { entry, completed: forget } = data.all();
  await send(api, entry, { ...options, syncId: 'mindre' });
  await waitUntil(async () => (await other.hentSynk('mindre')).tilstand === 'VENTER_PAA_BEKREFTELSE', {
    what: 'the sync to wait',
  });
  await other.bekreft('mindre');
  await waitUntil(async () => (await system.sql('select 1 from avtale where slettet is not null limit 1')).length > 0, {
    what: 'the first deletions',
    everyMs: 2,
  });
  await app.proc.kill();
  await completed(other, 'mindre');
  forget();
  await requireExact(system, data);
  const { here, there: where } = await replay(system);
  expect(where).toEqual(here);
}, 240_000);

const completed = (api: AdapterApi, syncId: string): Promise<unknown> =>
  waitUntil(async () => (await api.hentSynk(syncId)).tilstand === 'FULLFOERT', { what: 'the sync', maxMs: 120_000 });

test('pages as large as they may be, more at once than there is memory for: all are taken, some at a later attempt', async () => {
  const system = await createSystem();
  const { api, app } = await startAdapter(system);
  const data = new AdapterData(4, 40_000);
  const entry = large(data.fresh(40_000), '’'.repeat(930));
  await send(api, entry, {
    method: 'PATCH',
    syncId: 'stor',
    pageSize: 10_000,
    concurrency: 4,
    progress: () => undefined,
  });
  expect(app.proc.ended()).toBe(false);
  await requireExact(system, data);
}, 240_000);
