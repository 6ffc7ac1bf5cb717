import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { StartupError } from '../startup-error.ts';
import { IDENT_IN_ERROR, startProbeApp, type ProbeApp } from '../testing/probe-app.ts';
import { rawRequest } from '../testing/raw-http.ts';

let app: ProbeApp;
let bearer: string;
beforeAll(async () => {
  app = await startProbeApp();
  bearer = `Bearer ${await app.issuer.token({ azp: 'en-klient' })}`;
});
afterAll(() => app.stop());

const PROBLEM = 'application/problem+json; charset=utf-8';

const SECURITY = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
};

interface ProblemResponse {
  type: string;
  title: string;
  status: number;
  detail: string;
  callId: string;
  feil?: unknown;
}

/** The answer as a problem, having checked what holds for every one. */
async function problem(response: Response): Promise<ProblemResponse> {
  expect(response.headers.get('content-type')).toBe(PROBLEM);
  expect(Object.fromEntries(response.headers)).toMatchObject(SECURITY);
  const body = (await response.json()) as ProblemResponse;
  expect([body.status, body.callId]).toEqual([response.status, response.headers.get('nav-call-id')]);
  expect(body.type).toMatch(/^urn:tiltak-datadeling:feil:[a-z-]+$/);
  expect(body.callId).toMatch(/^[A-Za-z0-9._:-]+$/);
  return body;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const PATHS = ['/', '/api/ting/1', '/api/sok', '/api/finnes/ikke', '/apent', '/internal', '/internal/annet'];

describe('access', () => {
  test.each(PATHS.flatMap((path) => METHODS.map((method) => [method, path])))(
    '%s %s needs a token',
    async (method, path) => {
      const response = await fetch(app.url + path, { method });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      if (method === 'HEAD') expect(await response.text()).toBe('');
      else expect((await problem(response)).type).toBe('urn:tiltak-datadeling:feil:mangler-token');
    },
  );

  test.each(['Basic a2FyaTpvbGE=', 'Bearer', 'Bearer ', 'Bearer ikke.et.token', 'Bearer a b'])(
    'not with «%s»',
    async (authorization) => {
      const response = await fetch(`${app.url}/api/ting/1`, { headers: { authorization } });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(JSON.stringify(await problem(response))).not.toContain('ikke.et');
    },
  );

  test('open are those that are named, and health', async () => {
    for (const path of ['/apent/side', '/internal/isalive', '/internal/isready', '/internal/prometheus']) {
      expect([path, (await fetch(app.url + path)).status]).toEqual([path, 200]);
    }
    expect((await app.call('/api/ting/1')).status).toBe(200);
  });

  test('what is open within the cluster is not there for who comes from outside of it', async () => {
    for (const path of ['/internal/isalive', '/internal/isready', '/internal/prometheus']) {
      const outside = await fetch(app.url + path, { headers: { 'x-forwarded-host': 'tiltak.example.no' } });
      expect([path, outside.status, ((await outside.json()) as { type: string }).type]).toEqual([
        ...[path, 404, expect.stringContaining('finnes-ikke')],
      ]);
      expect((await fetch(app.url + path)).status).toBe(200);
    }
    const page = await fetch(`${app.url}/apent/side`, { headers: { 'x-forwarded-host': 'tiltak.example.no' } });
    expect(page.status).toBe(200);
  });

  test('whatever is answered is shown in no page of others, and run in none', async () => {
    const ways = [app.call('/api/ting/1'), fetch(`${app.url}/apent/side`), fetch(`${app.url}/internal/prometheus`)];
    for (const response of await Promise.all(ways)) {
      expect([response.status, Object.fromEntries(response.headers)]).toEqual([200, expect.objectContaining(SECURITY)]);
    }
    const raw = await rawRequest(app.url, 'this is not HTTP\r\n\r\n');
    for (const [name, value] of Object.entries(SECURITY))
      expect(raw.toLowerCase()).toContain(`${name}: ${value}`.toLowerCase());
  });

  test('keys that can not be had are 503, with the time to wait', async () => {
    const alone = await startProbeApp();
    alone.issuer.respondWith({ status: 500, body: '' });
    const response = await alone.call('/api/ting/1');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    await problem(response);
    await alone.stop();
  });
});

test('a connection on which nothing is asked holds nobody open who stops', async () => {
  const alone = await startProbeApp();
  const silent = connect(Number(new URL(alone.url).port), '127.0.0.1');
  await once(silent, 'connect');
  const closed = once(silent, 'close');
  // Node's own patience with it is a minute, which is longer than a process is given.
  await Promise.all([alone.stop(), closed]);
}, 30_000);

describe('context', () => {
  const tracing = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test.each(['GET', 'POST'])('follows a %s to its handler', async (method) => {
    const response = await app.call(method === 'GET' ? '/api/ting/1' : '/api/sok', {
      method,
      headers: { 'nav-call-id': 'min-id', traceparent: tracing, 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
    expect(await response.json()).toMatchObject({
      context: { callId: 'min-id', traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
    });
    expect(response.headers.get('nav-call-id')).toBe('min-id');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    [{ 'nav-call-id': 'a-1', 'nav-callid': 'b-2', 'x-correlation-id': 'c-3' }, 'a-1'],
    [{ 'nav-callid': 'b-2', 'x-correlation-id': 'c-3' }, 'b-2'],
    [{ 'x-correlation-id': 'c-3' }, 'c-3'],
    [{ 'nav-call-id': '1'.repeat(11), 'x-correlation-id': 'c-3' }, 'c-3'],
  ])('of %j the call id is %s', async (headers, callId) => {
    expect((await app.call('/api/ting/1', { headers })).headers.get('nav-call-id')).toBe(callId);
  });

  test.each([`x-${'1'.repeat(11)}`, 'a b', 'æ', 'a'.repeat(101), '<script>'])(
    'a new call id instead of «%s»',
    async (given) => {
      const response = await app.call('/api/ting/1', { headers: { 'nav-call-id': given } });
      expect(response.headers.get('nav-call-id')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );
});

describe('errors', () => {
  test('what is not expected is 500, and says nothing of its cause', async () => {
    const response = await app.call('/api/kast');
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problem(response))).not.toMatch(new RegExp(`${IDENT_IN_ERROR}|no such person|\\.ts`));
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
  ])('%s %s is %d', async (method, path, status, allow) => {
    const response = await app.call(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
    await problem(response);
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
    ['for who wants anything but JSON', '{}', { accept: 'application/json;q=0, */*' }, 406],
  ])('a body: %s', async (_, body, headers, status) => {
    const response = await app.call('/api/sok', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'nav-call-id': 'min-id', ...headers },
    });
    expect(response.status).toBe(status);
    expect((await problem(response)).callId).toBe('min-id');
  });

  test.each([
    ['application/json; charset=UTF-8', '*/*'],
    ['application/json;charset="utf-8"', 'text/html, application/*;q=0.1'],
  ])('a body of type %s is read', async (type, accept) => {
    const response = await app.call('/api/sok', {
      method: 'POST',
      body: '\uFEFF{"navn":["blåbær"]}',
      headers: { 'content-type': type, accept, 'content-encoding': 'identity' },
    });
    expect(await response.json()).toMatchObject({ sok: { navn: ['blåbær'] } });
  });
});

describe('Accept', () => {
  test.each([
    [''],
    ['*/*'],
    ['application/*'],
    ['APPLICATION/JSON'],
    ['application/json;q=0.001'],
    ['application/json; charset=utf-8'],
    ['application/json;odata=verbose'],
    ['application/problem+json'],
    ['text/html, application/xml;q=0.9, */*;q=0.1'],
    ['text/*;q=0, application/json'],
    ['*/*;q=0, application/json'],
    ['application/*;q=0, application/json;q=0.5'],
    ['tull, application/json'],
    ['application/json;q=1;noe="a,b"'],
  ])('%s takes JSON', async (accept) => {
    expect((await app.call('/api/ting/1', { headers: { accept } })).status).toBe(200);
  });

  test.each([
    ['text/html'],
    ['text/*'],
    ['text/html, application/xml'],
    ['application/jsonl'],
    ['application/json;q=0'],
    ['application/json;q=0.000, */*'],
    ['application/json;q=0, application/*'],
    ['*/*;q=0'],
    ['application/*;q=0, */*'],
    ['application/json;q=noe'],
    ['json'],
    [','],
    [';q=1'],
    ['*'],
  ])('%s does not', async (accept) => {
    const response = await app.call('/api/ting/1', { headers: { accept } });
    expect(response.status).toBe(406);
    expect((await problem(response)).detail).toBe('Only application/json is offered');
  });
});

describe('on the wire', () => {
  const close = 'Connection: close\r\n\r\n';
  const lines = (): [string, string, RegExp][] => [
    ['garbage', 'hei\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['too many headers', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'two lengths',
      `POST /api/sok HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      /^HTTP\/1\.1 400 /,
    ],
    ['no Host', `GET /api/ting/1 HTTP/1.1\r\nAuthorization: ${bearer}\r\n${close}`, /^HTTP\/1\.1 400 /],
    ['a path without a slash', `GET *api/kast HTTP/1.1\r\nHost: x\r\n${close}`, /^HTTP\/1\.1 401 /],
    [
      'the server as a whole',
      `OPTIONS * HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer}\r\n${close}`,
      /^HTTP\/1\.1 404 /,
    ],
    [
      'a method of its own',
      `PROPFIND /api/sok HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer}\r\n${close}`,
      /^HTTP\/1\.1 405 /,
    ],
    ['a whole URL', `GET http://apent/api/ting/1 HTTP/1.1\r\nHost: x\r\n${close}`, /^HTTP\/1\.1 401 /],
    ['a URL that can not be decoded', `GET /%zz HTTP/1.1\r\nHost: x\r\n${close}`, /^HTTP\/1\.1 400 /],
  ];
  test.each(lines().map(([name], i) => [name, i] as const))('%s', async (_, i) => {
    const [, text, statusLine] = lines()[i] ?? ['', '', /x/];
    const response = await rawRequest(app.url, text);
    expect(response).toMatch(statusLine);
    expect(response).toMatch(/content-type: application\/problem\+json/i);
    const [header = '', body = '{}'] = response.split('\r\n\r\n');
    const callId = /nav-call-id: (\S+)/i.exec(header)?.[1];
    expect(JSON.parse(body)).toMatchObject({ callId, status: Number(response.slice(9, 12)) });
    expect(header).toMatch(/x-content-type-options: nosniff/i);
  });

  // [what, the line, whether with a token, the status]; none of it opens what is not open.
  test.each<[string, string, boolean, number]>([
    ['a whole URL of an open route', 'GET http://vert/internal/isready', false, 200],
    ['a whole URL in capitals, with a query', 'GET HTTPS://vert:8080/internal/isready?a=b', false, 200],
    ['a whole URL without a path', 'GET http://vert', true, 404],
    ['a whole URL of nothing', 'GET http://', false, 401],
    ['another scheme', 'GET ftp://vert/internal/isready', false, 401],
    ['letters written as percents', 'GET /%69nternal/isready', false, 200],
    ['an open page written as percents', 'GET /%61pent/side', false, 200],
    ['a slash written as percents', 'GET /internal%2fisready', false, 401],
    ['two slashes', 'GET //internal/isready', false, 401],
    ['dots from an open route', 'GET /apent/../api/ting/1', false, 401],
    ['dots written as percents', 'GET /apent/%2e%2e/api/ting/1', false, 401],
    ['dots from an open route, with a token', 'GET /apent/../api/ting/1', true, 404],
    ['a parameter of the path', 'GET /internal/isready;a=b', false, 401],
    ['a slash at the end', 'GET /internal/isready/', false, 401],
    ['other case', 'GET /Internal/isready', false, 401],
    ['a NUL', 'GET /internal/isready%00', false, 401],
    ['half a percent', 'GET /internal/isready%', false, 400],
    ['bytes that are not UTF-8', 'GET /internal/%C0%AFisready', false, 400],
    ['a question mark written as percents', 'GET /internal/isready%3f', false, 401],
    ['beneath an open route, where nothing is', 'GET /apent/annet', false, 401],
    ['another method of an open route', 'POST /internal/isready', true, 405],
    ['another method, written as percents', 'POST /internal/%69sready', true, 405],
    ['a tunnel', 'CONNECT vert:443', false, 405],
    ['a long URL', `GET /${'a'.repeat(15_000)}`, true, 404],
  ])('%s', async (_, line, withToken, status) => {
    const headers = withToken ? `Host: x\r\nAuthorization: ${bearer}` : 'Host: x';
    expect(await rawStatus(`${line} HTTP/1.1\r\n${headers}\r\n${close}`)).toBe(status);
  });

  test.each<[string, string, number]>([
    ['two tokens', 'Host: x\r\nAuthorization: Bearer a', 400],
    ['two hosts', 'Host: x\r\nHost: y', 400],
    ['two types', 'Host: x\r\nContent-Type: text/plain\r\nContent-Type: application/json', 400],
    ['a host with a space', 'Host: a b', 400],
    ['a host that is a URL', 'Host: http://x', 400],
    ['an address', 'Host: [::1]:8080', 200],
    ['no name', 'Host: ', 200],
    ['two lengths', 'Host: x\r\nContent-Length: 2\r\nContent-Length: 2', 400],
    ['a packed body', 'Host: x\r\nTransfer-Encoding: gzip, chunked', 400],
  ])('headers: %s', async (_, headers, status) => {
    const text = `GET /api/ting/1 HTTP/1.1\r\n${headers}\r\nAuthorization: ${bearer}\r\n${close}`;
    expect(await rawStatus(text)).toBe(status);
  });

  test.each(['HTTP/2.0', 'HTTP/0.9'])('%s is not spoken', async (version) => {
    expect(await rawStatus(`GET /internal/isalive ${version}\r\nHost: x\r\n${close}`)).toBe(400);
  });

  /** Of an answer that is a problem, when it is one of an error. */
  async function rawStatus(text: string): Promise<number> {
    const response = await rawRequest(app.url, text);
    const status = Number(response.slice(9, 12));
    expect([status, /content-type: application\/problem\+json/i.test(response)]).toEqual([status, status >= 400]);
    return status;
  }

  test('what is expected of the server is not its concern', async () => {
    const text = `POST /api/sok HTTP/1.1\r\nHost: x\r\nExpect: noe\r\nAuthorization: ${bearer}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n${close}{}`;
    expect(await rawRequest(app.url, text)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('answers are measured by route, and never by URL', async () => {
  await app.call('/api/ting/en-hemmelighet');
  await app.call('/en-hemmelighet');
  const number = await (await fetch(`${app.url}/internal/prometheus`)).text();
  expect(number).toMatch(
    /^http_server_requests_seconds_count\{metode="GET",rute="\/api\/ting\/:id",status="200"\} \d+$/m,
  );
  expect(number).toMatch(/rute="unknown",status="404"/);
  expect(number).not.toContain('hemmelighet');
});

test('a port that is taken is told by name', async () => {
  const other = createServer();
  await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready));
  const { port } = other.address() as AddressInfo;
  await expect(startProbeApp({ port })).rejects.toThrow(
    new StartupError(`PORT ${String(port)} on 127.0.0.1 is taken by another process`),
  );
  other.close();
});
