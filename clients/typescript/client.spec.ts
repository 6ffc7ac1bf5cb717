import {
  answerOf,
  clientCredentials,
  createQueryApiClient,
  CutOffError,
  followAvtaler,
  MemoryStore,
  ProblemError,
  readExport,
  readPages,
  UnansweredError,
  type Progress,
  type QueryApiClient,
} from './client.ts';
import { json, lines, problem, Service, type Answer } from './testing/service.ts';

/** Against a service that answers as it is told, over HTTP. With the real one: tools/e2e/clients.spec.ts. */
let service: Service;
let client: QueryApiClient;
const refused: (string | undefined)[] = [];
const getToken = (token?: string): string => {
  refused.push(token);
  return token === undefined ? 'first' : 'second';
};

beforeEach(async () => {
  service = await Service.start();
  refused.length = 0;
  client = createQueryApiClient({ baseUrl: service.url, getToken, budgetMs: 3_000, timeoutMs: 500 });
});
afterEach(() => service.stop());

const search = () => answerOf(send());
const send = () => client.POST('/api/v1/avtaler/sok', { body: { antall: 2 } });
const EMPTY = json(200, { avtaler: [] });

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function avtale(n: number, more: Record<string, unknown> = {}): { avtaleId: string } {
  return { avtaleId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`, ...more };
}

describe('waiting', () => {
  test.each([429, 502, 503, 504])('%i is tried again after Retry-After, as the same call', async (status) => {
    service.answers = [problem(status, 'x', { 'retry-after': '1' }), EMPTY];
    const from = performance.now();
    await expect(search()).resolves.toEqual({ avtaler: [] });
    expect(performance.now() - from).toBeGreaterThan(950);
    const [first, second] = service.seen;
    expect(second?.headers['nav-call-id']).toBe(first?.headers['nav-call-id']);
    expect(second?.body).toEqual({ antall: 2 });
    expect(first?.headers.authorization).toBe('Bearer first');
  });

  const silent: Answer = () => undefined;
  const cutOff: Answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '40' }).write('{"avtaler":[');
    setTimeout(() => response.destroy(), 20);
  };
  const stops: Answer = (_, response) => void response.writeHead(200).write('{"avtaler":[');
  const hangsUp: Answer = (_, response) => void response.destroy();
  test.each(Object.entries({ silent, cutOff, stops, hangsUp }))(
    'an answer that is %s is asked for again',
    async (_, answer) => {
      service.answers = [answer, EMPTY];
      await expect(search()).resolves.toEqual({ avtaler: [] });
      service.answers = [answer];
      await expect(search()).rejects.toThrow(UnansweredError);
    },
  );

  test('the last refusal is told when the budget is spent', async () => {
    service.answers = [problem(503, 'utilgjengelig', { 'retry-after': '2' })];
    await expect(search()).rejects.toMatchObject({ status: 503, code: 'utilgjengelig', callId: 'id-1', mayPass: true });
    expect(service.seen).toHaveLength(2);
  });

  test.each([400, 403, 404, 410, 500])('%i is not tried again', async (status) => {
    service.answers = [problem(status, 'feil-kode'), EMPTY];
    const error = await search().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as Error).message).toBe(
      `tiltak-datadeling answered ${String(status)}, feil-kode, As the test says, callId id-1`,
    );
    expect(service.seen).toHaveLength(1);
  });

  test('a refused token is replaced once', async () => {
    service.answers = [problem(401, 'ugyldig-token'), EMPTY];
    await search();
    expect(refused).toEqual([undefined, 'first']);
    expect(service.seen[1]?.headers.authorization).toBe('Bearer second');
    service.answers = [problem(401, 'ugyldig-token')];
    await expect(search()).rejects.toMatchObject({ status: 401 });
    expect(service.seen).toHaveLength(4);
  });
});

test('what is newer than the client does no harm, wherever it stands', async () => {
  const answer = {
    avtaler: [avtale(1, { tiltakstype: 'NYTT_TILTAK', avtaleStatus: 'GJENNOMFORES', nyttFelt: { a: 1 } })],
    nested: [{ grunner: ['NY_GRUNN', 'ANNULLERT_UNDERVEIS'], fase: null }],
  };
  service.answers = [json(200, answer)];
  await expect(search()).resolves.toEqual({
    avtaler: [avtale(1, { tiltakstype: 'UKJENT', avtaleStatus: 'GJENNOMFORES', nyttFelt: { a: 1 } })],
    nested: [{ grunner: ['UKJENT', 'ANNULLERT_UNDERVEIS'], fase: null }],
  });
});

test('pages are one sequence', async () => {
  service.answers = [json(200, { avtaler: [avtale(1), avtale(2)], neste: 'c' }), json(200, { avtaler: [avtale(3)] })];
  const ask = (neste?: string) =>
    answerOf(client.POST('/api/v1/avtaler/sok', { body: { antall: 2, ...(neste && { neste }) } }));
  const all = await toArray(readPages(ask, ({ avtaler }) => avtaler));
  expect(all).toEqual([avtale(1), avtale(2), avtale(3)]);
  expect(service.seen.map(({ body }) => (body as { neste?: string }).neste)).toEqual([undefined, 'c']);
});

describe('the export', () => {
  const head = (antall: number): unknown => ({ posisjon: 'p1', antall });
  const readAll = async (): Promise<unknown[]> => (await toArray((await readExport(client)).avtaler)).flat();
  const halfLine: Answer = (_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/x-ndjson' })
      .end('{"posisjon":"p1","antall":1}\n{"avtaleId":');

  test('is read whole', async () => {
    const all = Array.from({ length: 1_234 }, (_, n) => avtale(n));
    service.answers = [lines([head(1_234), ...all])];
    await expect(readAll()).resolves.toEqual(all);
  });

  test.each([
    ['has too few lines', lines([head(3), avtale(1)])],
    ['breaks off', lines([head(1), avtale(1)], true)],
    ['has half a line', halfLine],
    ['is empty', lines([])],
  ])('that %s is not taken for everything', async (_, answer) => {
    service.answers = [answer];
    await expect(readAll()).rejects.toThrow(CutOffError);
  });
});

test('a copy starts anew after a cut-off export and a lost position, and forgets what is gone', async () => {
  const changes = (ids: number[], gone: number[], posisjon: string): Answer =>
    json(200, {
      endringer: [
        ...ids.map((n) => ({ ...avtale(n), type: 'ENDRET' })),
        ...gone.map((n) => ({ ...avtale(n), type: 'SLETTET' })),
      ],
      posisjon,
      flere: false,
    });
  service.answers = [
    lines([{ posisjon: 'p0', antall: 9 }, avtale(9)]),
    lines([{ posisjon: 'p1', antall: 2 }, avtale(1), avtale(2)]),
    changes([1, 3], [2], 'p2'),
    json(200, { avtaler: [avtale(1, { versjon: 2 })] }),
    problem(410, 'utgaatt'),
    lines([{ posisjon: 'q1', antall: 1 }, avtale(5)]),
    changes([], [], 'q1'),
  ];
  const store = new MemoryStore();
  const seen: [Progress['step'], string, string[]][] = [];
  const failures: unknown[] = [];
  const stop = new AbortController();
  await followAvtaler({
    ...{ client, store, signal: stop.signal, waitSeconds: 0 },
    onRetry: (error) => failures.push(error),
    onProgress: ({ step, position }) => {
      seen.push([step, position, [...store.avtaler.keys()].map((id) => id.slice(-1))]);
      if (seen.length === 4) stop.abort();
    },
  });
  expect(seen).toEqual([
    ['EXPORT', 'p1', ['1', '2']],
    ['CHANGES', 'p2', ['1']],
    ['EXPORT', 'q1', ['5']],
    ['CHANGES', 'q1', ['5']],
  ]);
  expect(failures).toEqual([expect.any(CutOffError)]);
  expect(service.seen[3]?.headers['minst-posisjon']).toBe('p2');
});

test('a copy that may not be kept says so at once', async () => {
  service.answers = [problem(403, 'ikke-tilgang')];
  await expect(followAvtaler({ client, store: new MemoryStore() })).rejects.toMatchObject({ status: 403 });
});

test('one token serves many, until it is about to expire or is refused', async () => {
  let given = 0;
  const token: Answer = (seen, response) =>
    json(200, { access_token: `t${String(++given)}`, expires_in: 3_600 })(seen, response);
  service.answers = [token];
  const credentials = { tokenEndpoint: service.url, clientId: 'me', clientSecret: 's3cret', scope: 'api://x/.default' };
  const provide = clientCredentials(credentials);
  expect(await Promise.all([provide(), provide(), provide()])).toEqual(['t1', 't1', 't1']);
  expect(service.seen[0]?.body).toBe(
    'grant_type=client_credentials&client_id=me&client_secret=s3cret&scope=api%3A%2F%2Fx%2F.default',
  );
  expect(await provide('t1')).toBe('t2');
  expect(await provide('t1')).toBe('t2');
  service.answers = [json(200, { access_token: 'short', expires_in: 0 })];
  const hasty = clientCredentials(credentials);
  expect([await hasty(), await hasty()]).toEqual(['short', 'short']);
  expect(service.seen).toHaveLength(4);
  service.answers = [json(400, { error: 'invalid_client', error_description: 's3cret' })];
  await expect(clientCredentials(credentials)()).rejects.toThrow('No token: the issuer answered 400');
});
