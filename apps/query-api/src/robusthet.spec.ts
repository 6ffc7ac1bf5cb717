import { connect } from 'node:net';
import { startTestApi, type TestApi } from './testing/test-api.ts';

/** Bad input of every kind: a clear 4xx as problem+json, never a 500, and nothing of the input in the answer. */
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stopp());

const SOK = '/api/v1/avtaler/sok';
const PROBLEM = 'application/problem+json; charset=utf-8';

test('before the first load is done nothing is answered but how fresh the data is', async () => {
  const svar = await api.kall('POST', SOK, { body: {} });
  expect([svar.status, svar.headers.get('retry-after'), svar.headers.get('data-oppdatert')]).toEqual([503, '10', null]);
  expect((await api.kall('GET', '/api/v1/ferskhet')).body).toMatchObject({ dataOppdatert: null });
  const naa = new Date();
  await api.settFerskhet(naa);
  expect((await api.kall('POST', SOK, { body: {} })).headers.get('data-oppdatert')).toBe(naa.toISOString());
});

const dyp = (n: number): string => `{"a":${'['.repeat(n)}${']'.repeat(n)}}`;

test.each([
  ['not JSON', { body: '{"antall":' }, 400],
  ['nothing', { body: '' }, 400],
  ['a list', { body: '[]' }, 400],
  ['null', { body: 'null' }, 400],
  ['deep', { body: dyp(50) }, 400],
  ['very deep', { body: dyp(100_000) }, 400],
  ['prototype', { body: '{"__proto__":{"admin":true}}' }, 400],
  ['constructor', { body: '{"constructor":{"prototype":{}}}' }, 400],
  ['too large', { body: JSON.stringify({ neste: 'x'.repeat(2_000_000) }) }, 413],
  ['10,000 idents', { body: { personidenter: Array.from({ length: 10_000 }, () => '1'.repeat(11)) } }, 400],
  ['XML', { body: '<a/>', hoder: { 'content-type': 'application/xml' } }, 415],
  ['a form', { body: 'antall=1', hoder: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
  ['text', { body: '{}', hoder: { 'content-type': 'text/plain' } }, 415],
  ['wants XML', { body: {}, hoder: { accept: 'application/xml' } }, 406],
])('%s', async (_, valg, status) => {
  const svar = await api.kall('POST', SOK, valg);
  expect([svar.status, svar.headers.get('content-type')]).toEqual([status, PROBLEM]);
  expect(Object.keys(svar.body)).toEqual(expect.arrayContaining(['type', 'title', 'status', 'detail', 'callId']));
  expect(JSON.stringify(svar.body)).not.toMatch(/\d{11}|at .*\.[tj]s|node_modules/);
});

test('a body is needed', async () => {
  const svar = await fetch(api.url + SOK, {
    method: 'POST',
    headers: { authorization: `Bearer ${await api.utsteder.token({ azp: 'alt' })}` },
  });
  expect([svar.status, ((await svar.json()) as { feil: unknown }).feil]).toEqual([
    400,
    [{ felt: 'body', melding: 'must be a JSON object' }],
  ]);
});

test.each([
  ['GET', SOK, 400],
  ['DELETE', SOK, 405],
  ['PUT', '/api/v1/avtaler/nummer/1', 405],
  ['GET', '/finnes/ikke', 404],
  ['GET', '/api/v1/avtaler/%zz', 400],
  ['GET', `/api/v1/avtaler/${'a'.repeat(150)}`, 400],
  ['GET', '/api/v1/avtaler/nummer/1.5', 400],
  ['GET', '/api/v1/avtaler/nummer/-1', 400],
  ['GET', '/api/v1/bedrifter/12/avtaler', 400],
  ['GET', '/api/v1/ferskhet?ukjent=1', 200],
])('%s %s is %d', async (metode, sti, status) => {
  const svar = await api.kall(metode, sti);
  expect(svar.status).toBe(status);
  if (status >= 400) expect(svar.headers.get('content-type')).toBe(PROBLEM);
  if (status === 405) expect(svar.headers.get('allow')).toBeTruthy();
});

test('a call id is given back, unless it could be something else than an id', async () => {
  const gitt = async (hoder: Record<string, string>): Promise<string | null> =>
    (await api.kall('GET', '/api/v1/ferskhet', { hoder })).headers.get('nav-call-id');
  expect(await gitt({ 'nav-call-id': 'abc-1' })).toBe('abc-1');
  expect(await gitt({ 'nav-callid': 'abc-2' })).toBe('abc-2');
  expect(await gitt({ 'x-correlation-id': 'abc-3' })).toBe('abc-3');
  for (const verdi of ['1'.repeat(11), 'a b', 'x'.repeat(101), `id-${'1'.repeat(11)}`]) {
    expect(await gitt({ 'nav-call-id': verdi })).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test.each([
  ['garbage', 'hei\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['too many headers', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
])('%s on the wire', async (_, tekst, statuslinje) => {
  const { hostname, port } = new URL(api.url);
  const svar = await new Promise<string>((ferdig, feilet) => {
    let mottatt = '';
    const forbindelse = connect(Number(port), hostname, () => forbindelse.write(tekst));
    forbindelse.on('data', (del) => (mottatt += del.toString()));
    forbindelse.on('close', () => ferdig(mottatt)).on('error', feilet);
  });
  expect(svar).toMatch(statuslinje);
  expect(svar).toContain('application/problem+json');
});

test('two thousand idle connections do not keep others from being served', async () => {
  const { hostname, port } = new URL(api.url);
  const forbindelser = await Promise.all(
    Array.from(
      { length: 2_000 },
      () =>
        new Promise<ReturnType<typeof connect>>((ferdig) => {
          const forbindelse = connect(Number(port), hostname, () => ferdig(forbindelse));
          forbindelse.on('error', () => ferdig(forbindelse));
        }),
    ),
  );
  expect((await api.kall('POST', SOK, { body: {} })).status).toBe(200);
  for (const forbindelse of forbindelser) forbindelse.destroy();
});
