import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { createAdapterClient, type AdapterApiClient, type AdapterSchemas } from '@navikt/tiltak-datadeling-klient';
import { createTestTopic, ROOT, waitUntil, type TestTopic } from '@tiltak/testing';
import { System } from './system.ts';

/**
 * An adapter written from the published document alone: its types are generated from it, and every answer, also of what
 * is refused, is held against it.
 */
type Page = AdapterSchemas['Side'];

interface Document {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, { content?: Content }> }>>;
}
type Content = Record<string, { schema: object }>;

const DOCUMENT = JSON.parse(readFileSync(join(ROOT, 'apps', 'ingestor', 'openapi.json'), 'utf8')) as Document;
const OPERATIONS = Object.entries(DOCUMENT.paths)
  .filter(([path]) => path.startsWith('/adapter/'))
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, metode: method, operasjon: operation })),
  );

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ ...DOCUMENT, $id: 'dokument' });
const used = new Set<string>();
let system: System;
let virksomheter: TestTopic;
let client: AdapterApiClient;
let token: () => Promise<string>;

beforeAll(async () => {
  system = await System.create();
  virksomheter = await createTestTopic();
  const { url } = await system.startIngestor({ VIRKSOMHET_TOPIC: virksomheter.topic });
  token = () => system.tokenForAdapter();
  client = createAdapterClient({ baseUrl: url, getToken: () => token() });
  client.use({
    onResponse: async ({ request, response, schemaPath }) => {
      await asDocumented(request.method.toLowerCase(), schemaPath, response.clone());
      return undefined;
    },
  });
});
afterAll(async () => {
  await system.stop();
  await virksomheter.remove();
});

async function asDocumented(method: string, path: string, response: Response): Promise<void> {
  const operation = DOCUMENT.paths[path]?.[method];
  const status = String(response.status);
  used.add(operation?.operationId ?? '');
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  expect({ path, type, ...operation?.responses[status]?.content }).toHaveProperty([type]);
  const points = ['paths', path, method, 'responses', status, 'content', type, 'schema'];
  const ref = `dokument#/${points.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
  const valid = ajv.compile({ $ref: ref });
  valid(await response.json());
  expect({ path, metode: method, status, feil: valid.errors }).toMatchObject({ feil: null });
}

const CONTRACT = {
  adapterId: 'fremmed',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler', 'virksomheter'],
} satisfies AdapterSchemas['Kontrakt'];

const page = (syncId: string, ids: string[], sistEndret = '2026-01-31T10:00:00.123456Z'): Page => ({
  metadata: { synkId: syncId, side: 1, antallSider: 1, antallTotalt: ids.length },
  ressurser: ids.map((id) => ({ id, ressurs: { avtaleId: id, sistEndret } })),
});

test('an adapter does all that it can, and every answer is as documented', async () => {
  expect((await client.GET('/adapter/v1/status')).response.status).toBe(409);
  expect((await client.PUT('/adapter/v1/kontrakt', { body: CONTRACT })).data).toEqual({
    ...CONTRACT,
    ukjenteFelter: 'MELD',
  });
  expect((await client.POST('/adapter/v1/hjerteslag')).data).toMatchObject({ tilstand: 'OK' });

  const ids = Array.from({ length: 5 }, () => randomUUID());
  const all = await client.POST('/adapter/v1/avtaler/synk', { body: page('alle', ids) });
  expect(all).toMatchObject({ data: { type: 'FULL', mottatteSider: 1 }, response: { status: 201 } });
  await waitForState('alle', 'FULLFOERT');
  const changed = await client.PATCH('/adapter/v1/avtaler/synk', {
    body: page('endret', ids.slice(0, 1), '2026-02-01T00:00:00Z'),
  });
  expect(changed.data).toMatchObject({ type: 'DELTA', tilstand: 'FULLFOERT' });
  const away = {
    metadata: page('borte', ids.slice(0, 1)).metadata,
    ressurser: ids.slice(0, 1).map((id) => ({ id })),
  };
  expect((await client.DELETE('/adapter/v1/avtaler/synk', { body: away })).data).toMatchObject({ type: 'SLETT' });

  await client.POST('/adapter/v1/avtaler/synk', { body: page('faa', ids.slice(3)) });
  await waitForState('faa', 'VENTER_PAA_BEKREFTELSE');
  const few = { params: { path: { synkId: 'faa' } } };
  expect((await client.POST('/adapter/v1/synk/{synkId}/bekreft', few)).response.status).toBe(200);
  await waitForState('faa', 'FULLFOERT');
  await syncUnits();
  expect((await client.GET('/adapter/v1/status')).data?.synker).toHaveLength(7);
  expect([...used].sort()).toEqual(OPERATIONS.map(({ operasjon: operation }) => operation.operationId).sort());
}, 60_000);

/** The same of the other resource: a main unit, an establishment below it, and one that goes. */
async function syncUnits(): Promise<void> {
  const unit = (
    organisasjonsnummer: string,
    more: object = {},
  ): { id: string; ressurs: AdapterSchemas['Virksomhetsressurs'] } => ({
    id: organisasjonsnummer,
    ressurs: { organisasjonsnummer, navn: 'Bakeriet', sistEndret: '2026-01-31T10:00:00Z', ...more },
  });
  const units = [unit('889640782'), unit('974760673', { overordnetEnhet: '889640782' })];
  const metadata = { synkId: 'alle-enheter', side: 1, antallSider: 1, antallTotalt: 2 };
  const all = await client.POST('/adapter/v1/virksomheter/synk', { body: { metadata, ressurser: units } });
  expect(all).toMatchObject({ data: { type: 'FULL', mottatteSider: 1 }, response: { status: 201 } });
  await waitForState('alle-enheter', 'FULLFOERT');
  const one = { ...metadata, antallTotalt: 1 };
  const changed = {
    metadata: { ...one, synkId: 'endret-enhet' },
    ressurser: [unit('889640782', { slettetDato: '2026-02-01', sistEndret: '2026-02-01T00:00:00Z' })],
  };
  expect((await client.PATCH('/adapter/v1/virksomheter/synk', { body: changed })).data).toMatchObject({
    type: 'DELTA',
  });
  const gone = { metadata: { ...one, synkId: 'borte-enhet' }, ressurser: [{ id: '974760673' }] };
  expect((await client.DELETE('/adapter/v1/virksomheter/synk', { body: gone })).data).toMatchObject({ type: 'SLETT' });
}

async function waitForState(syncId: string, state: string): Promise<void> {
  await waitUntil(
    async () => {
      const { data } = await client.GET('/adapter/v1/synk/{synkId}', { params: { path: { synkId: syncId } } });
      return data?.tilstand === state;
    },
    { what: `the sync to be ${state}`, everyMs: 200 },
  );
}

const PAGE = page('avvist', [randomUUID()]);
const [FIRST] = PAGE.ressurser;
const withHeader = (header: Partial<Page['metadata']>): Page => ({
  ...PAGE,
  metadata: { ...PAGE.metadata, ...header },
});

test.each<[string, number, string | undefined, unknown]>([
  ['page 0', 400, 'metadata.side', withHeader({ side: 0 })],
  ['a page beyond the end', 400, 'metadata.side', withHeader({ side: 2 })],
  ['a wrong total', 400, 'metadata.antallTotalt', withHeader({ antallTotalt: 2 })],
  ['an id that differs', 400, 'ressurser[0].id', { ...PAGE, ressurser: [{ ...FIRST, id: randomUUID() }] }],
  ['no metadata', 400, 'metadata', { ressurser: [] }],
  ['a list', 400, undefined, []],
  [
    'other content of a page',
    409,
    undefined,
    page(
      'alle',
      [1, 2, 3, 4, 5].map(() => randomUUID()),
    ),
  ],
])('%s is %d', async (_what, status, field, body) => {
  const { error, response } = await client.POST('/adapter/v1/avtaler/synk', { body: body as Page });
  expect(response.status).toBe(status);
  if (field !== undefined)
    expect(error).toMatchObject({ feil: expect.arrayContaining([expect.objectContaining({ felt: field })]) });
});

test('what is refused before it is read is as documented too', async () => {
  const send = async (init: { headers?: Record<string, string>; body?: Page } = {}): Promise<number> =>
    (await client.POST('/adapter/v1/avtaler/synk', { body: PAGE, ...init })).response.status;
  expect(await send({ headers: { 'content-type': 'text/plain' } })).toBe(415);
  expect(
    await send({
      body: page(
        'mange',
        Array.from({ length: 10_001 }, () => randomUUID()),
      ),
    }),
  ).toBe(413);
  const unknown = { params: { path: { synkId: 'finnes-ikke' } } };
  expect((await client.GET('/adapter/v1/synk/{synkId}', unknown)).response.status).toBe(404);
  expect((await client.POST('/adapter/v1/synk/{synkId}/bekreft', unknown)).response.status).toBe(404);
  token = async () => 'x';
  expect(await send()).toBe(401);
  token = () => system.tokenForOnDuty();
  expect(await send()).toBe(403);
});
