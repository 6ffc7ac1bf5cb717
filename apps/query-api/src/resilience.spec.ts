import { connect } from 'node:net';
import { startTestApi, type TestApi } from './testing/test-api.ts';

/** Bad input of every kind: a clear 4xx as problem+json, never a 500, and nothing of the input in the answer. */
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const SEARCH = '/api/v1/avtaler/sok';
const PROBLEM = 'application/problem+json; charset=utf-8';

test('before the first load is done nothing is answered but how fresh the data is', async () => {
  const response = await api.call('POST', SEARCH, { body: {} });
  expect([response.status, response.headers.get('retry-after'), response.headers.get('data-oppdatert')]).toEqual([
    503,
    '10',
    null,
  ]);
  expect((await api.call('GET', '/api/v1/ferskhet')).body).toMatchObject({ dataOppdatert: null });
  const now = new Date();
  await api.setFreshness(now);
  expect((await api.call('POST', SEARCH, { body: {} })).headers.get('data-oppdatert')).toBe(now.toISOString());
});

const nested = (n: number): string => `{"a":${'['.repeat(n)}${']'.repeat(n)}}`;

test.each([
  ['not JSON', { body: '{"antall":' }, 400],
  ['nothing', { body: '' }, 400],
  ['a list', { body: '[]' }, 400],
  ['null', { body: 'null' }, 400],
  ['deep', { body: nested(50) }, 400],
  ['very deep', { body: nested(100_000) }, 400],
  ['prototype', { body: '{"__proto__":{"admin":true}}' }, 400],
  ['constructor', { body: '{"constructor":{"prototype":{}}}' }, 400],
  ['too large', { body: JSON.stringify({ neste: 'x'.repeat(2_000_000) }) }, 413],
  ['10,000 idents', { body: { personidenter: Array.from({ length: 10_000 }, () => '1'.repeat(11)) } }, 400],
  ['XML', { body: '<a/>', headers: { 'content-type': 'application/xml' } }, 415],
  ['a form', { body: 'antall=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
  ['text', { body: '{}', headers: { 'content-type': 'text/plain' } }, 415],
  ['wants XML', { body: {}, headers: { accept: 'application/xml' } }, 406],
])('%s', async (_, options, status) => {
  const response = await api.call('POST', SEARCH, options);
  expect([response.status, response.headers.get('content-type')]).toEqual([status, PROBLEM]);
  expect(Object.keys(response.body)).toEqual(expect.arrayContaining(['type', 'title', 'status', 'detail', 'callId']));
  expect(JSON.stringify(response.body)).not.toMatch(/\d{11}|at .*\.[tj]s|node_modules/);
});

test('a body is needed', async () => {
  const response = await fetch(api.url + SEARCH, {
    method: 'POST',
    headers: { authorization: `Bearer ${await api.issuer.token({ azp: 'alt' })}` },
  });
  expect([response.status, ((await response.json()) as { feil: unknown }).feil]).toEqual([
    400,
    [{ felt: 'body', melding: 'must be a JSON object' }],
  ]);
});

test.each([
  ['GET', SEARCH, 400],
  ['DELETE', SEARCH, 405],
  ['PUT', '/api/v1/avtaler/nummer/1', 405],
  ['GET', '/finnes/ikke', 404],
  ['GET', '/api/v1/avtaler/%zz', 400],
  ['GET', `/api/v1/avtaler/${'a'.repeat(150)}`, 400],
  ['GET', '/api/v1/avtaler/nummer/1.5', 400],
  ['GET', '/api/v1/avtaler/nummer/-1', 400],
  ['GET', `/api/v1/bedrifter/${'1'.repeat(21)}/avtaler`, 400],
  ['GET', '/api/v1/ferskhet?ukjent=1', 200],
])('%s %s is %d', async (method, path, status) => {
  const response = await api.call(method, path);
  expect(response.status).toBe(status);
  if (status >= 400) expect(response.headers.get('content-type')).toBe(PROBLEM);
  if (status === 405) expect(response.headers.get('allow')).toBeTruthy();
});

test('a call id is given back, unless it could be something else than an id', async () => {
  const given = async (headers: Record<string, string>): Promise<string | null> =>
    (await api.call('GET', '/api/v1/ferskhet', { headers })).headers.get('nav-call-id');
  expect(await given({ 'nav-call-id': 'abc-1' })).toBe('abc-1');
  expect(await given({ 'nav-callid': 'abc-2' })).toBe('abc-2');
  expect(await given({ 'x-correlation-id': 'abc-3' })).toBe('abc-3');
  for (const value of ['1'.repeat(11), 'a b', 'x'.repeat(101), `id-${'1'.repeat(11)}`]) {
    expect(await given({ 'nav-call-id': value })).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test.each([
  ['garbage', 'hei\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['too many headers', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
])('%s on the wire', async (_, text, statusLine) => {
  const { hostname, port } = new URL(api.url);
  const response = await new Promise<string>((done, failed) => {
    let received = '';
    const connection = connect(Number(port), hostname, () => connection.write(text));
    connection.on('data', (part) => (received += part.toString()));
    connection.on('close', () => done(received)).on('error', failed);
  });
  expect(response).toMatch(statusLine);
  expect(response).toContain('application/problem+json');
});

test('two thousand idle connections do not keep others from being served', async () => {
  const { hostname, port } = new URL(api.url);
  const connections = await Promise.all(
    Array.from(
      { length: 2_000 },
      () =>
        new Promise<ReturnType<typeof connect>>((done) => {
          const connection = connect(Number(port), hostname, () => done(connection));
          connection.on('error', () => done(connection));
        }),
    ),
  );
  expect((await api.call('POST', SEARCH, { body: {} })).status).toBe(200);
  for (const connection of connections) connection.destroy();
});
