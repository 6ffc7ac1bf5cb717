import { join } from 'node:path';
import {
  clientCredentials,
  createQueryApiClient,
  followAvtaler,
  MemoryStore,
  type AvtalePart,
  type QueryApiClient,
} from '@navikt/tiltak-datadeling-klient';
import { ROOT, waitUntil } from '@tiltak/testing';
import { whoTravels } from './consumer.ts';
import { startSandbox, type StartedSandbox } from './start-sandbox.ts';

/** Here it is what has been built; elsewhere leave out the argument, and npx gets it. */
const BUILT = [process.execPath, join(ROOT, 'dist', 'sandbox', 'main.cjs'), '--port', '0'] as const;

interface Planted {
  personer: [{ identer: [string, ...string[]] }];
  avtaler: { avtaleId: string }[];
}

let sandbox: StartedSandbox;
let client: QueryApiClient;
beforeAll(async () => {
  sandbox = await startSandbox(BUILT);
  const tokenEndpoint = `${sandbox.url}/sandkasse/oauth2/token`;
  const getToken = clientCredentials({ tokenEndpoint, clientId: 'alt', clientSecret: 'any', scope: 'any' });
  client = createQueryApiClient({ baseUrl: sandbox.url, getToken });
}, 180_000);
afterAll(() => sandbox.stop());
beforeEach(() => sandbox.control('nullstill'));

const plantPerson = async (scenario: string): Promise<string> =>
  (await sandbox.control<Planted>(`scenarier/${scenario}`)).personer[0].identer[0];

test('those who are on a measure travel, also on its last day, and not the day after', async () => {
  const [underway, last, planned] = [
    await plantPerson('paagaar'),
    await plantPerson('paagaar-siste-dag'),
    await plantPerson('planlagt'),
  ];
  expect(await whoTravels(client, [underway, last, planned])).toEqual([underway, last]);
  await sandbox.control('klokke', { flyttDager: 1 });
  expect(await whoTravels(client, [underway, last, planned])).toEqual([underway]);
});

test('a service that is busy, and away, is asked again', async () => {
  const ident = await plantPerson('paagaar');
  await sandbox.control('feil', { operasjon: 'hentTiltaksstatus', status: 429 });
  await sandbox.control('feil', { operasjon: 'hentTiltaksstatus', status: 503 });
  expect(await whoTravels(client, [ident])).toEqual([ident]);
});

test('everything at a parent company: a unit with a parent and an avtale on it, then the question', async () => {
  const [parent, unit] = ['310712217', '310825518'];
  const avtaleId = '04d0033c-754b-4daa-b5ff-6531dc64582c';
  await sandbox.control(`avtaler/${avtaleId}`, { bedriftNr: unit, bedriftNavn: 'SYNTETISK BAKERI NORD' }, 'PUT');
  const atParent = async (): Promise<unknown> => {
    const { data } = await client.POST('/api/v1/avtaler/sok', { body: { hovedenhet: parent } });
    return data?.avtaler.map(({ avtaleId, bedriftNr, hovedenhet }) => [avtaleId, bedriftNr, hovedenhet]);
  };
  expect(await atParent()).toEqual([]);
  await sandbox.control(`virksomheter/${unit}`, { navn: 'SYNTETISK BAKERI NORD', overordnetEnhet: parent }, 'PUT');
  await sandbox.control(`virksomheter/${parent}`, { navn: 'SYNTETISK BAKERI AS' }, 'PUT');
  expect(await atParent()).toEqual([[avtaleId, unit, parent]]);
  const params = { path: { organisasjonsnummer: unit } };
  const { data } = await client.GET('/api/v1/virksomheter/{organisasjonsnummer}', { params });
  expect(data).toMatchObject({ navn: 'SYNTETISK BAKERI NORD', hovedenhet: parent });
});

test('no more is looked up than is needed', async () => {
  const ident = await plantPerson('paagaar');
  await whoTravels(client, [ident]);
  const { oppslag } = await sandbox.control<{ oppslag: { operasjon: string; identer: string[] }[] }>(
    'oppslag',
    {},
    'GET',
  );
  expect(oppslag.map(({ operasjon, identer }) => [operasjon, identer])).toEqual([['hentTiltaksstatus', [ident]]]);
});

const hasCome = (store: { avtaler: ReadonlyMap<string, unknown> }, count: number): Promise<true> =>
  waitUntil(() => store.avtaler.size === count, { what: `${String(count)} avtaler in the copy`, everyMs: 20 });

test('a copy follows: an export that breaks off, a change, a delete, a position that is gone', async () => {
  await sandbox.control('scenarier/mange-personer', { antall: 20 });
  await sandbox.control('feil', { operasjon: 'eksporterAvtaler', bruddEtterByte: 700 });
  const store = new MemoryStore();
  const stop = new AbortController();
  const following = followAvtaler({ client, store, signal: stop.signal });
  await hasCome(store, 20);
  const { avtaler } = await sandbox.control<Planted>('scenarier/paagaar');
  await hasCome(store, 21);
  await sandbox.control(`avtaler/${String(avtaler[0]?.avtaleId)}`, {}, 'DELETE');
  await hasCome(store, 20);
  // It is told so when it asks the next time, and begins anew with what is there now.
  await sandbox.control('nullstill');
  await sandbox.control('scenarier/lenker');
  await hasCome(store, 4);
  stop.abort();
  await following.catch(() => undefined);
});

test('a copy of some fields has these and no others, from the export and from what changes', async () => {
  await sandbox.control('scenarier/mange-personer', { antall: 3 });
  const store = new MemoryStore<AvtalePart<'startDato' | 'tiltakstype'>>();
  const stop = new AbortController();
  const following = followAvtaler({ client, store, felter: ['startDato', 'tiltakstype'], signal: stop.signal });
  await hasCome(store, 3);
  await sandbox.control('scenarier/paagaar');
  await hasCome(store, 4);
  for (const avtale of store.avtaler.values())
    expect(Object.keys(avtale).sort()).toEqual(['avtaleId', 'startDato', 'tiltakstype']);
  stop.abort();
  await following.catch(() => undefined);
});
