import { readFileSync } from 'node:fs';
import { waitUntil } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import { createQueryApiClient, type QueryApiClient, type Schemas } from '@navikt/tiltak-datadeling-klient';
import { System } from './system.ts';

/** From the source's topic to a consumer's answer, through both apps as they are deployed. */
let system: System;
let client: QueryApiClient;

beforeAll(async () => {
  system = await System.create();
  await system.startIngestor();
  const { url } = await system.startQueryApi();
  client = createQueryApiClient({
    baseUrl: url,
    getToken: async () => (await system.as('alt'))['authorization']?.slice('Bearer '.length) ?? '',
  });
  await waitUntil(async () => (await client.POST('/api/v1/avtaler/sok', { body: {} })).response.ok, {
    what: 'the first load',
  });
}, 60_000);
afterAll(() => system.stop());

async function all(): Promise<Schemas['Avtale'][]> {
  const avtaler: Schemas['Avtale'][] = [];
  let next: string | undefined;
  do {
    const { data } = await client.POST('/api/v1/avtaler/sok', {
      body: { antall: 500, ...(next ? { neste: next } : {}) },
    });
    avtaler.push(...(data?.avtaler ?? []));
    next = data?.neste;
  } while (next !== undefined);
  return avtaler;
}

test('consumers see exactly what the source says, and not what is wrongly registered', async () => {
  await system.publish([...createEvents({ count: 2_000, seed: 11, poison: true })]);
  await system.waitForIngested();
  const seen = (await all()).map(({ avtaleId }) => avtaleId);
  const expected = system.oracle().avtaler as { avtaleId: string; feilregistrert: boolean }[];
  expect(seen).toEqual(expected.filter(({ feilregistrert }) => !feilregistrert).map(({ avtaleId }) => avtaleId));
  expect(seen.length).toBeGreaterThan(50);
});

test('a change is served, and Data-Oppdatert promises no more than is served', async () => {
  const before = Date.now();
  const key = '00000000-0000-4000-8000-0000000000aa';
  await system.publish([
    { key, value: JSON.stringify({ avtaleId: key, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 4_711 }) },
  ]);
  const published = Date.now();
  const seen = await waitUntil(
    async () => {
      const params = { path: { avtaleNr: 4_711 } };
      const { response: response } = await client.GET('/api/v1/avtaler/nummer/{avtaleNr}', { params });
      const updated = Date.parse(response.headers.get('data-oppdatert') ?? '');
      // An answer that says it includes everything up to after the message was published must hold it.
      if (response.status === 404 && updated > published) throw new Error('Data-Oppdatert promises what is not served');
      return response.ok ? response : undefined;
    },
    { what: 'the change to be served', everyMs: 5 },
  );
  expect(seen.headers.get('data-oppdatert')).toBeTruthy();
  await waitUntil(async () => Date.parse((await client.GET('/api/v1/ferskhet')).data?.dataOppdatert ?? '') > before, {
    what: 'freshness to pass the message',
  });
});

test('no log line of either app holds a national ident', async () => {
  const idents = new Set((await all()).flatMap(({ deltakerFnr }) => (deltakerFnr ? [deltakerFnr] : [])));
  expect(idents.size).toBeGreaterThan(20);
  for (const logFile of system.logFiles()) {
    const log = readFileSync(logFile, 'utf8');
    expect([...idents].filter((ident) => log.includes(ident))).toEqual([]);
  }
});
