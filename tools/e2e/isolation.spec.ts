import { createHash } from 'node:crypto';
import { createEvents } from '@tiltak/simulator';
import {
  createWorkDir,
  freePort,
  startPostgres,
  startTokenIssuer,
  waitUntil,
  type LocalPostgres,
  type TokenIssuer,
} from '@tiltak/testing';
import type { App } from '../local/apps.ts';
import { System, type PublishedMessage } from './system.ts';

/** Two organisations as they are deployed: one broker and one issuer, and nothing else, is the same for both. */
const { directory, clean } = createWorkDir('isolasjon');
const POISON_COUNT = 10_000;
/** fewer than there are, so that a new one at the end of the order changes nothing */
const ASKED_COUNT = 20;
let issuer: TokenIssuer;
let postgres: LocalPostgres;
let nav: { system: System; ingestor: App; queryApi: App };
let fylke: typeof nav;

async function start(options: NonNullable<Parameters<typeof System.create>[0]>, seed: number): Promise<typeof nav> {
  const system = await System.create({ issuer, ...options });
  await system.publish([...createEvents({ count: 500, seed })]);
  const [ingestor, queryApi] = [await system.startIngestor(), await system.startQueryApi()];
  await system.waitForIngested();
  return { system, ingestor, queryApi };
}

beforeAll(async () => {
  issuer = await startTokenIssuer({ port: await freePort(), audience: 'ingen' });
  const place = { dataDir: `${directory}/postgres`, logFile: `${directory}/postgres.log` };
  postgres = await startPostgres({ port: await freePort(), ...place });
  nav = await start({ organisasjon: 'nav' }, 21);
  fylke = await start({ organisasjon: 'demo-fylke', postgres: postgres.url }, 22);
}, 120_000);

afterAll(async () => {
  await nav.system.stop();
  // A test that failed may have left it stopped.
  if (postgres.proc().ended()) await postgres.restart();
  await fylke.system.stop();
  await postgres.stop();
  await issuer.stop();
  clean();
});

/** Every operation of the app's own document, with something in the place of each parameter. */
async function operations({ url }: App): Promise<{ method: string; path: string }[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase(),
      path: url + path.replaceAll(/{\w+}/g, '1'),
    })),
  );
}

async function statuser(app: App, token: string): Promise<Set<number>> {
  const all = await operations(app);
  expect(all.length).toBeGreaterThan(5);
  const response = all.map(({ method, path }) =>
    fetch(path, { method, headers: { authorization: `Bearer ${token}` } }),
  );
  return new Set((await Promise.all(response)).map(({ status }) => status));
}

test.each(['ingestor', 'queryApi'] as const)(
  'no operation of %s takes a token of the other organisation',
  async (app) => {
    const all = (await fylke.system.as('alt'))['authorization']?.slice('Bearer '.length) ?? '';
    for (const token of [all, await fylke.system.tokenForAdapter(), await fylke.system.tokenForOnDuty()]) {
      expect(await statuser(nav[app], token)).toEqual(new Set([401]));
    }
  },
);

test('an adapter of the other organisation is refused also when its token is meant for this one', async () => {
  const claims = { scope: 'tiltak:adapter', organisasjon: 'demo-fylke' };
  expect(await statuser(nav.ingestor, await nav.system.token({ azp: 'adapter', claims }))).toEqual(new Set([403]));
});

const poison = (n: number): PublishedMessage => ({ key: `gift-${String(n)}`, value: '{' });

interface Response {
  status: number;
  updated: number;
  /** a digest: that of another answer says enough */
  avtaler: string;
}

async function ask(): Promise<Response> {
  const response = await fetch(`${nav.queryApi.url}/api/v1/avtaler/sok`, {
    method: 'POST',
    headers: await nav.system.as('alt'),
    body: JSON.stringify({ antall: ASKED_COUNT }),
  });
  return {
    status: response.status,
    updated: Date.parse(response.headers.get('data-oppdatert') ?? ''),
    avtaler: createHash('sha256')
      .update(await response.text())
      .digest('hex'),
  };
}

/** That nav answers with the same avtaler all the time, until what it answers with is newer than `grense`. */
async function respondsUnchanged(limit: number, avtaler: string): Promise<void> {
  await waitUntil(
    async () => {
      const response = await ask();
      expect(response).toMatchObject({ status: 200, avtaler });
      return response.updated > limit;
    },
    { what: 'fresh data', everyMs: 20 },
  );
}

test('what befalls one organisation is not noticed by the other', async () => {
  const { avtaler } = await ask();
  await fylke.system.publish(Array.from({ length: POISON_COUNT }, (_, n) => poison(n)));
  await respondsUnchanged(Date.now(), avtaler);
  await postgres.kill();
  await fylke.system.publish(Array.from({ length: POISON_COUNT }, (_, n) => poison(n)));
  expect((await fetch(`${fylke.ingestor.url}/internal/isalive`)).status).toBe(200);
  await waitUntil(async () => (await fetch(`${fylke.ingestor.url}/internal/isready`)).status === 503, {
    what: 'the ingestor without a database to tell so',
  });
  for (const nr of [1, 2, 3]) {
    await respondsUnchanged(Date.now(), avtaler);
    // Last in the order of answers.
    const key = `ffffffff-ffff-4fff-8fff-${String(nr).padStart(12, '0')}`;
    await nav.system.publish([{ key, value: JSON.stringify(newAvtale(key)) }]);
    const path = `${nav.queryApi.url}/api/v1/avtaler/${key}`;
    await waitUntil(async () => (await fetch(path, { headers: await nav.system.as('alt') })).ok, {
      what: 'a new avtale to be served',
    });
  }
  expect((await fetch(`${nav.ingestor.url}/internal/isready`)).status).toBe(200);
  expect(nav.system.oracle().parkert).toEqual([]);
  expect(await nav.system.state()).toEqual(nav.system.oracle());

  await postgres.restart();
  await fylke.system.waitForIngested();
  expect(fylke.system.oracle().parkert).toHaveLength(2 * POISON_COUNT);
  expect(await fylke.system.state()).toEqual(fylke.system.oracle());
}, 180_000);

const newAvtale = (avtaleId: string): object => ({ avtaleId, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 4_711 });
