import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  clientCredentials,
  createQueryApiClient,
  CutOffError,
  followAvtaler,
  MemoryStore,
  readExport,
  UnansweredError,
} from './client.ts';
import { json, lines, Service, type Answer } from './testing/service.ts';

/** What is JavaScript's own; all else stands in conformance.spec.ts. With the real service: tools/e2e/clients.fault.spec.ts. */
let service: Service;
beforeEach(async () => void (service = await Service.start()));
afterEach(() => service.stop());

const clientOf = (budgetMs: number, timeoutMs = 300) =>
  createQueryApiClient({ baseUrl: service.url, getToken: () => 't', budgetMs, timeoutMs });

test('who waits for a token at the same time gets the same', async () => {
  let given = 0;
  const token: Answer = (seen, response) =>
    json(200, { access_token: `t${String(++given)}`, expires_in: 3_600 })(seen, response);
  service.answers = [token];
  const provide = clientCredentials({ tokenEndpoint: service.url, clientId: 'me', clientSecret: 'x', scope: 'y' });
  expect(await Promise.all([provide(), provide(), provide()])).toEqual(['t1', 't1', 't1']);
});

test('what Nais gives an app is used, and what is missing is named', () => {
  expect(() => clientCredentials({ scope: 'x' })).toThrow('No token: AZURE_OPENID_CONFIG_TOKEN_ENDPOINT is not set');
});

test('a signal ends a wait, and a call says what the signal says', async () => {
  service.answers = [json(503, {}, { 'retry-after': '30' })];
  const stop = new AbortController();
  const call = clientOf(60_000).GET('/api/v1/ferskhet', { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('Enough')), 100);
  await expect(call).rejects.toThrow();
});

test('without onRetry, a warning tells that following waits, and not what was being stored', async () => {
  const heard: string[] = [];
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (message) => void heard.push(String(message));
  service.answers = [lines([{ posisjon: 'p', antall: 0 }])];
  const stop = new AbortController();
  const store = new MemoryStore();
  store.replaceAll = () => {
    setTimeout(() => stop.abort(), 50);
    throw new RangeError('12345678910');
  };
  await followAvtaler({ client: clientOf(1_000), store, signal: stop.signal });
  process.emitWarning = emit;
  expect(heard).toEqual([expect.stringMatching(/^Following waits \d+ ms: RangeError$/)]);
});

test('what onProgress throws ends the following', async () => {
  service.answers = [lines([{ posisjon: 'p', antall: 1 }, { avtaleId: 'x' }])];
  const onProgress = (): never => {
    throw new Error('Mine');
  };
  await expect(followAvtaler({ client: clientOf(1_000), store: new MemoryStore(), onProgress })).rejects.toThrow(
    'Mine',
  );
});

describe('while memory is collected', () => {
  let collecting: ReturnType<typeof setInterval>;
  beforeAll(() => {
    setFlagsFromString('--expose-gc');
    collecting = setInterval(runInNewContext('gc') as () => void, 100);
  });
  afterAll(() => clearInterval(collecting));

  test.each<[string, Answer]>([
    ['silent', () => undefined],
    [
      'half an answer',
      (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
    ],
  ])('an attempt takes no longer than it may: %s', async (_, answer) => {
    service.answers = [answer];
    await expect(clientOf(200).GET('/api/v1/ferskhet')).rejects.toThrow(UnansweredError);
  });

  test('an export that goes silent can be given up', async () => {
    service.answers = [
      (_, response) =>
        void response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{"posisjon":"p","antall":2}\n'),
    ];
    const stop = new AbortController();
    const { avtaler } = await readExport(clientOf(60_000, 20_000), { signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    await expect(avtaler[Symbol.asyncIterator]().next()).rejects.toThrow(CutOffError);
    await service.letGo();
  });
});

test('what did not answer says which call it was', async () => {
  service.answers = [(_, response) => void response.destroy()];
  const error = await clientOf(100)
    .GET('/api/v1/ferskhet')
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UnansweredError);
  expect((error as UnansweredError).callId).toBe(service.seen[0]?.headers['nav-call-id']);
});
