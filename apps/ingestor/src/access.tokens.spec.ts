import { startTwoIssuers, TABLE_SETUP, TOKEN_TABLE, type TwoIssuers, type Verdict } from '@tiltak/testing';
import { startTestIngestor, type TestIngestor } from './testing/test-ingestor.ts';

const { consumer, supplier, scopes } = TABLE_SETUP;

let issuers: TwoIssuers;
let ingestor: TestIngestor;
beforeAll(async () => {
  issuers = await startTwoIssuers();
  ingestor = await startTestIngestor(undefined, {
    ...issuers.env,
    ADAPTER_KAN_SKRIVE: 'ja',
    MASKINPORTEN_SCOPE: scopes.adapter,
    MASKINPORTEN_ORGANISASJONSNUMMER: consumer,
    MASKINPORTEN_LEVERANDOERER: supplier,
  });
});
afterAll(async () => {
  await ingestor.stop();
  await issuers.stop();
});

const ask = (path: string, authorization: string, init: RequestInit = {}): Promise<Response> =>
  fetch(ingestor.url + path, {
    ...init,
    headers: { authorization, ...(init.body ? { 'content-type': 'application/json' } : {}) },
  });

/** There is no contract, which only those are told who are let in. */
async function verdict(path: string, authorization: string): Promise<Verdict> {
  const { status } = await ask(path, authorization);
  return status === 200 || status === 409 ? 'inn' : (status as Verdict);
}

test.each(TOKEN_TABLE)('the adapter API and /drift: $token', async ({ gets, header }) => {
  const authorization = await header(issuers);
  const found = [
    await verdict('/adapter/v1/status', authorization),
    await verdict('/drift/v1/handlinger', authorization),
  ];
  expect(found).toEqual([gets[1], gets[2]]);
});

test('a contract is of the organisation and its client: another client of the same, and one in Entra, find it taken', async () => {
  const body = JSON.stringify({
    ...{ adapterId: 'kommunens', heartbeatIntervallMinutter: 15, fullSynkIntervallDager: 7 },
    ...{ deltaSynk: 'STRAKS', ressurser: ['avtaler'] },
  });
  const header = (name: string): Promise<string> =>
    (TOKEN_TABLE.find(({ token }) => token === name)?.header ?? (() => Promise.reject(new Error(name))))(issuers);
  const put = async (authorization: string): Promise<number> =>
    (await ask('/adapter/v1/kontrakt', authorization, { method: 'PUT', body })).status;
  const own = await header('Maskinporten: the same, scope for its adapter');
  expect(await put(own)).toBe(200);
  expect(await put(await header("Entra: the organisation's adapter"))).toBe(403);
  const [{ klient } = { klient: '' }] = await ingestor.owner.query<{ klient: string }[]>('select klient from adapter');
  expect(klient).toBe(`0192:${consumer}/kommunens-klient`);
  expect((await ask('/adapter/v1/hjerteslag', own, { method: 'POST' })).status).toBe(200);
});
