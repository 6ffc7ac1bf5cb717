import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Oppstartsfeil } from '../oppstartsfeil.ts';
import { IDENT_I_FEIL, startProveApp, type ProveApp } from '../testing/prove-app.ts';
import { raatt } from '../testing/raatt.ts';

let app: ProveApp;
let bearer: string;
beforeAll(async () => {
  app = await startProveApp();
  bearer = `Bearer ${await app.utsteder.token()}`;
});
afterAll(() => app.stopp());

const PROBLEM = 'application/problem+json; charset=utf-8';

interface Problemsvar {
  type: string;
  title: string;
  status: number;
  detail: string;
  callId: string;
  feil?: unknown;
}

/** The answer as a problem, having checked what holds for every one. */
async function problem(svar: Response): Promise<Problemsvar> {
  expect([svar.headers.get('content-type'), svar.headers.get('x-content-type-options')]).toEqual([PROBLEM, 'nosniff']);
  const body = (await svar.json()) as Problemsvar;
  expect([body.status, body.callId]).toEqual([svar.status, svar.headers.get('nav-call-id')]);
  expect(body.type).toMatch(/^urn:tiltak-datadeling:feil:[a-z-]+$/);
  expect(body.callId).toMatch(/^[A-Za-z0-9._:-]+$/);
  return body;
}

const METODER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const STIER = [
  '/',
  '/api/ting/1',
  '/api/sok',
  '/api/finnes/ikke',
  '/apent',
  '/internal',
  '/internal/annet',
  '/%61pent/side',
];

describe('access', () => {
  test.each(STIER.flatMap((sti) => METODER.map((metode) => [metode, sti])))(
    '%s %s needs a token',
    async (method, sti) => {
      const svar = await fetch(app.url + sti, { method });
      expect([svar.status, svar.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      if (method === 'HEAD') expect(await svar.text()).toBe('');
      else expect((await problem(svar)).type).toBe('urn:tiltak-datadeling:feil:mangler-token');
    },
  );

  test.each(['Basic a2FyaTpvbGE=', 'Bearer', 'Bearer ', 'Bearer ikke.et.token', 'Bearer a b'])(
    'not with «%s»',
    async (authorization) => {
      const svar = await fetch(`${app.url}/api/ting/1`, { headers: { authorization } });
      expect([svar.status, svar.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(JSON.stringify(await problem(svar))).not.toContain('ikke.et');
    },
  );

  test('open are those that are named, and health', async () => {
    for (const sti of ['/apent/side', '/internal/isalive', '/internal/isready', '/internal/prometheus']) {
      expect([sti, (await fetch(app.url + sti)).status]).toEqual([sti, 200]);
    }
    expect((await app.kall('/api/ting/1')).status).toBe(200);
  });

  test('keys that can not be had are 503, with the time to wait', async () => {
    const alene = await startProveApp();
    alene.utsteder.svarMed({ status: 500, body: '' });
    const svar = await alene.kall('/api/ting/1');
    expect([svar.status, svar.headers.get('retry-after')]).toEqual([503, '5']);
    await problem(svar);
    await alene.stopp();
  });
});

describe('context', () => {
  const sporing = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test.each(['GET', 'POST'])('follows a %s to its handler', async (method) => {
    const svar = await app.kall(method === 'GET' ? '/api/ting/1' : '/api/sok', {
      method,
      headers: { 'nav-call-id': 'min-id', traceparent: sporing, 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
    expect(await svar.json()).toMatchObject({
      kontekst: { callId: 'min-id', traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
    });
    expect(svar.headers.get('nav-call-id')).toBe('min-id');
    expect(svar.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    [{ 'nav-call-id': 'a-1', 'nav-callid': 'b-2', 'x-correlation-id': 'c-3' }, 'a-1'],
    [{ 'nav-callid': 'b-2', 'x-correlation-id': 'c-3' }, 'b-2'],
    [{ 'x-correlation-id': 'c-3' }, 'c-3'],
    [{ 'nav-call-id': '1'.repeat(11), 'x-correlation-id': 'c-3' }, 'c-3'],
  ])('of %j the call id is %s', async (headers, callId) => {
    expect((await app.kall('/api/ting/1', { headers })).headers.get('nav-call-id')).toBe(callId);
  });

  test.each([`x-${'1'.repeat(11)}`, 'a b', 'æ', 'a'.repeat(101), '<script>'])(
    'a new call id instead of «%s»',
    async (gitt) => {
      const svar = await app.kall('/api/ting/1', { headers: { 'nav-call-id': gitt } });
      expect(svar.headers.get('nav-call-id')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );
});

describe('errors', () => {
  test('what is not expected is 500, and says nothing of its cause', async () => {
    const svar = await app.kall('/api/kast');
    expect(svar.status).toBe(500);
    expect(JSON.stringify(await problem(svar))).not.toMatch(new RegExp(`${IDENT_I_FEIL}|no such person|\\.ts`));
  });

  test.each([
    ['GET', '/api/finnes/ikke', 404, null],
    ['GET', '/api/ting/1/', 404, null],
    ['GET', '/internal/isalive/', 404, null],
    ['DELETE', '/api/ting/1?a=b', 405, 'GET, HEAD'],
    ['GET', '/api/sok', 405, 'POST'],
    ['OPTIONS', '/api/sok', 405, 'POST'],
    ['POST', '/internal/isalive', 405, 'GET, HEAD'],
    ['GET', '/api/ting/%zz', 400, null],
    ['GET', `/api/ting/${'a'.repeat(300)}`, 414, null],
  ])('%s %s is %d', async (method, sti, status, allow) => {
    const svar = await app.kall(sti, { method });
    expect([svar.status, svar.headers.get('allow')]).toEqual([status, allow]);
    await problem(svar);
  });

  test.each([
    ['not JSON', '{"a":', {}, 400],
    ['nothing', '', {}, 400],
    ['not an object', '[]', {}, 400],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0x22, 0xf8, 0x22, 0x3a, 0x31, 0x7d]), {}, 400],
    ['too large', JSON.stringify({ navn: 'x'.repeat(1_100_000) }), {}, 413],
    ['another type', '<a/>', { 'content-type': 'application/xml' }, 415],
    ['no type', new Uint8Array([1]), { 'content-type': '' }, 415],
    ['text', '{}', { 'content-type': 'text/plain' }, 415],
    ['a type that is none', '{}', { 'content-type': '///' }, 415],
    ['another character set', '{}', { 'content-type': 'application/json; charset=iso-8859-1' }, 415],
    ['compressed', '{}', { 'content-encoding': 'gzip' }, 415],
    ['for who wants XML', '{}', { accept: 'application/xml' }, 406],
    ['for who wants no JSON', '{}', { accept: 'application/json;q=0, text/html' }, 406],
  ])('a body: %s', async (_, body, headers, status) => {
    const svar = await app.kall('/api/sok', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'nav-call-id': 'min-id', ...headers },
    });
    expect(svar.status).toBe(status);
    expect((await problem(svar)).callId).toBe('min-id');
  });

  test.each([
    ['application/json; charset=UTF-8', '*/*'],
    ['application/json;charset="utf-8"', 'text/html, application/*;q=0.1'],
  ])('a body of type %s is read', async (type, accept) => {
    const svar = await app.kall('/api/sok', {
      method: 'POST',
      body: '\uFEFF{"navn":["blåbær"]}',
      headers: { 'content-type': type, accept, 'content-encoding': 'identity' },
    });
    expect(await svar.json()).toMatchObject({ sok: { navn: ['blåbær'] } });
  });
});

describe('on the wire', () => {
  const lukk = 'Connection: close\r\n\r\n';
  const linjer = (): [string, string, RegExp][] => [
    ['garbage', 'hei\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['too many headers', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'two lengths',
      `POST /api/sok HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      /^HTTP\/1\.1 400 /,
    ],
    ['no Host', `GET /api/ting/1 HTTP/1.1\r\nAuthorization: ${bearer}\r\n${lukk}`, /^HTTP\/1\.1 400 /],
    ['a path without a slash', `GET *api/kast HTTP/1.1\r\nHost: x\r\n${lukk}`, /^HTTP\/1\.1 401 /],
    [
      'the server as a whole',
      `OPTIONS * HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer}\r\n${lukk}`,
      /^HTTP\/1\.1 404 /,
    ],
    [
      'a method of its own',
      `PROPFIND /api/sok HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer}\r\n${lukk}`,
      /^HTTP\/1\.1 405 /,
    ],
    ['a whole URL', `GET http://apent/api/ting/1 HTTP/1.1\r\nHost: x\r\n${lukk}`, /^HTTP\/1\.1 401 /],
    ['a URL that can not be decoded', `GET /%zz HTTP/1.1\r\nHost: x\r\n${lukk}`, /^HTTP\/1\.1 400 /],
  ];
  test.each(linjer().map(([navn], i) => [navn, i] as const))('%s', async (_, i) => {
    const [, tekst, statuslinje] = linjer()[i] ?? ['', '', /x/];
    const svar = await raatt(app.url, tekst);
    expect(svar).toMatch(statuslinje);
    expect(svar).toMatch(/content-type: application\/problem\+json/i);
    const [hode = '', body = '{}'] = svar.split('\r\n\r\n');
    const callId = /nav-call-id: (\S+)/i.exec(hode)?.[1];
    expect(JSON.parse(body)).toMatchObject({ callId, status: Number(svar.slice(9, 12)) });
    expect(hode).toMatch(/x-content-type-options: nosniff/i);
  });

  test('what is expected of the server is not its concern', async () => {
    const tekst = `POST /api/sok HTTP/1.1\r\nHost: x\r\nExpect: noe\r\nAuthorization: ${bearer}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n${lukk}{}`;
    expect(await raatt(app.url, tekst)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('answers are measured by route, and never by URL', async () => {
  await app.kall('/api/ting/en-hemmelighet');
  await app.kall('/en-hemmelighet');
  const tall = await (await fetch(`${app.url}/internal/prometheus`)).text();
  expect(tall).toMatch(
    /^http_server_requests_seconds_count\{metode="GET",rute="\/api\/ting\/:id",status="200"\} \d+$/m,
  );
  expect(tall).toMatch(/rute="unknown",status="404"/);
  expect(tall).not.toContain('hemmelighet');
});

test('a port that is taken is told by name', async () => {
  const annen = createServer();
  await new Promise<void>((klar) => annen.listen(0, '127.0.0.1', klar));
  const { port } = annen.address() as AddressInfo;
  await expect(startProveApp({ port })).rejects.toThrow(
    new Oppstartsfeil(`PORT ${String(port)} on 127.0.0.1 is taken by another process`),
  );
  annen.close();
});
