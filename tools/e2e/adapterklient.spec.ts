import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { lagAdapterklient, type Adapterklient, type Adapterskjema } from '@tiltak/datadeling-klient';
import { ROT, ventTil } from '@tiltak/testing';
import { System } from './system.ts';

/**
 * An adapter written from the published document alone: its types are generated from it, and every answer, also of what
 * is refused, is held against it.
 */
type Side = Adapterskjema['Side'];

interface Dokument {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, { content?: Innhold }> }>>;
}
type Innhold = Record<string, { schema: object }>;

const DOKUMENT = JSON.parse(readFileSync(join(ROT, 'apps', 'ingestor', 'openapi.json'), 'utf8')) as Dokument;
const OPERASJONER = Object.entries(DOKUMENT.paths)
  .filter(([sti]) => sti.startsWith('/adapter/'))
  .flatMap(([sti, metoder]) => Object.entries(metoder).map(([metode, operasjon]) => ({ sti, metode, operasjon })));

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ ...DOKUMENT, $id: 'dokument' });
const brukt = new Set<string>();
let system: System;
let klient: Adapterklient;
let token: () => Promise<string>;

beforeAll(async () => {
  system = await System.lag();
  const { url } = await system.startIngestor();
  token = () => system.tokenForAdapter();
  klient = lagAdapterklient({ baseUrl: url, hentToken: () => token() });
  klient.use({
    onResponse: async ({ request, response, schemaPath }) => {
      await somDokumentert(request.method.toLowerCase(), schemaPath, response.clone());
      return undefined;
    },
  });
});
afterAll(() => system.stopp());

async function somDokumentert(metode: string, sti: string, svar: Response): Promise<void> {
  const operasjon = DOKUMENT.paths[sti]?.[metode];
  const status = String(svar.status);
  brukt.add(operasjon?.operationId ?? '');
  const type = svar.headers.get('content-type')?.split(';')[0] ?? '';
  expect({ sti, type, ...operasjon?.responses[status]?.content }).toHaveProperty([type]);
  const peker = ['paths', sti, metode, 'responses', status, 'content', type, 'schema'];
  const ref = `dokument#/${peker.map((del) => encodeURIComponent(del.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
  const gyldig = ajv.compile({ $ref: ref });
  gyldig(await svar.json());
  expect({ sti, metode, status, feil: gyldig.errors }).toMatchObject({ feil: null });
}

const KONTRAKT = {
  adapterId: 'fremmed',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
} satisfies Adapterskjema['Kontrakt'];

const side = (synkId: string, ider: string[], sistEndret = '2026-01-31T10:00:00.123456Z'): Side => ({
  metadata: { synkId, side: 1, antallSider: 1, antallTotalt: ider.length },
  ressurser: ider.map((id) => ({ id, ressurs: { avtaleId: id, sistEndret } })),
});

test('an adapter does all that it can, and every answer is as documented', async () => {
  expect((await klient.GET('/adapter/v1/status')).response.status).toBe(409);
  expect((await klient.PUT('/adapter/v1/kontrakt', { body: KONTRAKT })).data).toEqual(KONTRAKT);
  expect((await klient.POST('/adapter/v1/hjerteslag')).data).toMatchObject({ tilstand: 'OK' });

  const ider = Array.from({ length: 5 }, () => randomUUID());
  const alle = await klient.POST('/adapter/v1/avtaler/synk', { body: side('alle', ider) });
  expect(alle).toMatchObject({ data: { type: 'FULL', mottatteSider: 1 }, response: { status: 201 } });
  await naar('alle', 'FULLFOERT');
  const endret = await klient.PATCH('/adapter/v1/avtaler/synk', {
    body: side('endret', ider.slice(0, 1), '2026-02-01T00:00:00Z'),
  });
  expect(endret.data).toMatchObject({ type: 'DELTA', tilstand: 'FULLFOERT' });
  const borte = {
    metadata: side('borte', ider.slice(0, 1)).metadata,
    ressurser: ider.slice(0, 1).map((id) => ({ id })),
  };
  expect((await klient.DELETE('/adapter/v1/avtaler/synk', { body: borte })).data).toMatchObject({ type: 'SLETT' });

  await klient.POST('/adapter/v1/avtaler/synk', { body: side('faa', ider.slice(3)) });
  await naar('faa', 'VENTER_PAA_BEKREFTELSE');
  const faa = { params: { path: { synkId: 'faa' } } };
  expect((await klient.POST('/adapter/v1/synk/{synkId}/bekreft', faa)).response.status).toBe(200);
  await naar('faa', 'FULLFOERT');
  expect((await klient.GET('/adapter/v1/status')).data?.synker).toHaveLength(4);
  expect([...brukt].sort()).toEqual(OPERASJONER.map(({ operasjon }) => operasjon.operationId).sort());
}, 60_000);

async function naar(synkId: string, tilstand: string): Promise<void> {
  await ventTil(
    async () => {
      const { data } = await klient.GET('/adapter/v1/synk/{synkId}', { params: { path: { synkId } } });
      return data?.tilstand === tilstand;
    },
    { hva: `the sync to be ${tilstand}`, hverMs: 200 },
  );
}

const SIDE = side('avvist', [randomUUID()]);
const [FOERSTE] = SIDE.ressurser;
const medHode = (hode: Partial<Side['metadata']>): Side => ({ ...SIDE, metadata: { ...SIDE.metadata, ...hode } });

test.each<[string, number, string | undefined, unknown]>([
  ['page 0', 400, 'metadata.side', medHode({ side: 0 })],
  ['a page beyond the end', 400, 'metadata.side', medHode({ side: 2 })],
  ['a wrong total', 400, 'metadata.antallTotalt', medHode({ antallTotalt: 2 })],
  ['an id that differs', 400, 'ressurser[0].id', { ...SIDE, ressurser: [{ ...FOERSTE, id: randomUUID() }] }],
  ['no metadata', 400, 'metadata', { ressurser: [] }],
  ['a list', 400, undefined, []],
  [
    'other content of a page',
    409,
    undefined,
    side(
      'alle',
      [1, 2, 3, 4, 5].map(() => randomUUID()),
    ),
  ],
])('%s is %d', async (_hva, status, felt, body) => {
  const { error, response } = await klient.POST('/adapter/v1/avtaler/synk', { body: body as Side });
  expect(response.status).toBe(status);
  if (felt !== undefined)
    expect(error).toMatchObject({ feil: expect.arrayContaining([expect.objectContaining({ felt })]) });
});

test('what is refused before it is read is as documented too', async () => {
  const send = async (init: { headers?: Record<string, string>; body?: Side } = {}): Promise<number> =>
    (await klient.POST('/adapter/v1/avtaler/synk', { body: SIDE, ...init })).response.status;
  expect(await send({ headers: { 'content-type': 'text/plain' } })).toBe(415);
  expect(
    await send({
      body: side(
        'mange',
        Array.from({ length: 10_001 }, () => randomUUID()),
      ),
    }),
  ).toBe(413);
  const ukjent = { params: { path: { synkId: 'finnes-ikke' } } };
  expect((await klient.GET('/adapter/v1/synk/{synkId}', ukjent)).response.status).toBe(404);
  expect((await klient.POST('/adapter/v1/synk/{synkId}/bekreft', ukjent)).response.status).toBe(404);
  token = async () => 'x';
  expect(await send()).toBe(401);
  token = () => system.tokenForVakt();
  expect(await send()).toBe(403);
});
