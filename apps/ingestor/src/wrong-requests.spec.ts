import { syntheticOrgnr, toleratedOf, wrongRequests, type RequestDocument } from '@tiltak/testing';
import { RESOURCES } from './adapter/pushed/resources.ts';
import { ADAPTER, CONTRACT } from './testing/test-adapter.ts';
import { startTestIngestor, type TestIngestor } from './testing/test-ingestor.ts';

let ingestor: TestIngestor;
beforeAll(async () => {
  ingestor = await startTestIngestor();
});
afterAll(() => ingestor.stop());

const ID = '00000000-0000-4000-8000-000000000001';
const metadata = { synkId: 's1', side: 1, antallSider: 1, antallTotalt: 1 };
const page = { metadata, ressurser: [{ id: ID, ressurs: { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z' } }] };
const NUMBER = syntheticOrgnr(1);
const pageOfVirksomheter = {
  metadata,
  ressurser: [{ id: NUMBER, ressurs: { organisasjonsnummer: NUMBER, sistEndret: '2026-01-01T00:00:00Z' } }],
};
const contract = { ...CONTRACT, ressurser: RESOURCES };
const BODIES = {
  settKontrakt: contract,
  sendFullSynk: page,
  sendDeltaSynk: page,
  sendSletting: { metadata, ressurser: [{ id: ID }] },
  sendFullSynkVirksomheter: pageOfVirksomheter,
  sendDeltaSynkVirksomheter: pageOfVirksomheter,
  sendSlettingVirksomheter: { metadata, ressurser: [{ id: NUMBER }] },
  forkast: { begrunnelse: 'ANNET' },
  forkastFlere: { alle: true, begrunnelse: 'ANNET' },
  spillAvFlere: { alle: true },
  rettAvstemming: { type: 'MANGLER' },
  bekreftGjenoppbygging: { bekreft: 1 },
  listGjenoppbygdeNoekler: { ressurs: 'virksomheter' },
  listManglendeVirksomheter: { antall: 1 },
  listVirksomheterUtenHovedenhet: { antall: 1 },
  frigiKontrakt: { adapterId: 'spec-adapter', aarsak: 'AVVIKLET' },
};

test('what is not as the document says is 400 that names it, on every operation: types, names, parameters', async () => {
  const tokens = { adapter: await ingestor.tokenWith(ADAPTER), drift: await ingestor.token() };
  const send = async (method: string, path: string, body?: string): ReturnType<TestIngestor['call']> => {
    const token = path.startsWith('/adapter') ? tokens.adapter : tokens.drift;
    const response = await fetch(ingestor.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  expect((await send('PUT', '/adapter/v1/kontrakt', JSON.stringify(contract))).status).toBe(200);
  const document = (await send('GET', '/openapi.json')).body as RequestDocument;
  const wrong = wrongRequests(document, {
    bodies: BODIES,
    pathValues: { id: '1', synkId: 's1' },
    // What an adapter's system says beside, nobody here reads.
    open: (operation) => operation.startsWith('send'),
  });
  const tolerated = await toleratedOf(wrong, ({ method, path, query, body }) => send(method, path + query, body));
  expect(tolerated).toEqual([]);
  expect(wrong.length).toBeGreaterThan(500);
}, 120_000);
