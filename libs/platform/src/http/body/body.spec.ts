import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@tiltak/testing';
import { PROBLEMS, Problem } from '../../problem.ts';
import { startProbeApp, type ProbeApp } from '../../testing/probe-app.ts';
import { clientOf } from '../../tokens/token.ts';

const WINDOW_MS = 300;
const MIB = 1024 * 1024;

let app: ProbeApp;
let stranger: string;

beforeAll(async () => {
  app = await startProbeApp({
    bodyWindowMs: WINDOW_MS,
    authorize: ({ token }) => {
      if (token && clientOf(token) === 'en-fremmed') throw new Problem(PROBLEMS.IKKE_TILGANG, 'Not here');
    },
  });
  stranger = await app.issuer.token({ azp: 'en-fremmed' });
});
afterAll(() => app.stop());

const post = (body: string, init: RequestInit = {}): Promise<Response> =>
  app.call('/api/sok', { method: 'POST', body, headers: { 'content-type': 'application/json' }, ...init });

/** A connection that has sent the head of a request for `length` bytes, and what has come back on it. */
async function open(token: string, length: number, more = ''): Promise<{ socket: Socket; answer: () => string }> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (part) => (received += part.toString())).on('error', () => undefined);
  await once(socket, 'connect');
  const head = [
    'POST /api/sok HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
  ];
  socket.write(`${[...head, `Content-Length: ${String(length)}`].join('\r\n')}\r\n${more}\r\n`);
  return { socket, answer: () => received };
}

test.each([
  ['empty lists', '[],', 400_000, 413],
  ['empty objects', '{},', 400_000, 413],
  ['numbers', '1,', 400_000, 413],
])('%s: as many as fit in the largest body are refused while they come', async (_, part, count, status) => {
  const response = await post(`{"navn":[${part.repeat(Math.min(count, (MIB - 100) / part.length)).slice(0, -1)}]}`);
  expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
    status,
    'The body holds more than 50,000 values',
  ]);
});

test.each([
  ['depth', `{"a":${'['.repeat(500_000)}`, 400, 'The request is not valid'],
  [
    'one object with very many members',
    `{${'"a":1,'.repeat(2_000)}"b":1}`,
    413,
    'The body holds more than 1,000 members in an object',
  ],
  ['what is closed before it is opened', ']'.repeat(10), 400, 'The body is not JSON'],
])('%s is refused', async (_, body, status, detail) => {
  const response = await post(body);
  expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([status, detail]);
});

test('what stands in a text is no value', async () => {
  const text = `${'[{,'.repeat(60_000)}\\"\\\\`;
  const response = await post(`{"navn":["${text}"]}`);
  expect(((await response.json()) as { sok: { navn: string[] } }).sok.navn).toEqual([JSON.parse(`"${text}"`)]);
});

test('who may not come is told so, and nothing more is read of what comes', async () => {
  const { socket, answer } = await open(stranger, 500 * MIB);
  const part = Buffer.alloc(64 * 1024, '[],');
  socket.write(part);
  await waitUntil(() => Promise.resolve(answer().includes('403')), { what: 'the refusal' });
  expect(answer()).toMatch(/connection: close/i);
  // What the kernel takes for both sides is all that goes out.
  for (let sent = 0; sent < 400 * MIB && !socket.destroyed && socket.write(part); sent += part.length) await wait(0);
  expect(socket.bytesWritten).toBeLessThan(100 * MIB);
  await waitUntil(() => Promise.resolve(socket.destroyed), { what: 'the connection to be closed' });
});

test('who may not come and waits to be asked for the body is not asked', async () => {
  const { socket, answer } = await open(stranger, 10, 'Expect: 100-continue\r\n');
  await once(socket, 'close');
  expect(answer()).toMatch(/^HTTP\/1\.1 403 /);
  const friend = await open(await app.issuer.token({ azp: 'en-venn' }), 2, 'Expect: 100-continue\r\n');
  await waitUntil(() => Promise.resolve(friend.answer().startsWith('HTTP/1.1 100 ')), { what: 'to be asked' });
  friend.socket.write('{}');
  await waitUntil(() => Promise.resolve(friend.answer().includes('HTTP/1.1 200 ')), { what: 'the answer' });
  friend.socket.destroy();
});

test('a body that comes too slowly is 408, a steady one is read, and others are answered meanwhile', async () => {
  const token = await app.issuer.token({ azp: 'en-venn' });
  const body = JSON.stringify({ navn: ['x'.repeat(2_000)] });
  const slow = await open(token, body.length);
  const drip = setInterval(() => slow.socket.write(' '), 20);
  const steady = await open(token, body.length);
  for (let at = 0; at < body.length; at += 100) {
    steady.socket.write(body.slice(at, at + 100));
    if (at % 500 === 0) expect((await post('{}')).status).toBe(200);
    await wait(WINDOW_MS / 10);
  }
  await waitUntil(() => Promise.resolve(steady.answer().includes('\r\n\r\n')), {
    what: 'the steady one to be answered',
  });
  expect(steady.answer()).toMatch(/^HTTP\/1\.1 200 /);
  await waitUntil(() => Promise.resolve(slow.socket.destroyed), { what: 'the slow one to be ended' });
  clearInterval(drip);
  expect(slow.answer()).toMatch(/^HTTP\/1\.1 408 /);
  expect(slow.answer()).toMatch(/urn:tiltak-datadeling:feil:tidsavbrudd/);
  steady.socket.destroy();
});

describe('a request that comes for longer than it may', () => {
  let hurried: ProbeApp;
  beforeAll(async () => {
    hurried = await startProbeApp({ maxSeconds: 1 });
  });
  afterAll(() => hurried.stop());

  const head = (authorization: string, ...more: string[]): string =>
    ['POST /api/sok HTTP/1.1', 'Host: x', authorization, 'Content-Type: application/json', ...more, '', ''].join(
      '\r\n',
    );
  const chunk = `64\r\n${' '.repeat(100)}\r\n`;

  // Each brings more than the least that a body must bring, for ever.
  test.each<[string, (authorization: string) => string, string, RegExp]>([
    ['headers', () => 'POST /api/sok HTTP/1.1\r\n', 'A: b\r\n', /^HTTP\/1\.1 408 /],
    ['nothing at all', () => '', '', /^HTTP\/1\.1 408 /],
    ['a body', (token) => head(token, 'Content-Length: 900000'), ' '.repeat(100), /^HTTP\/1\.1 408 /],
    ['a body in chunks', (token) => head(token, 'Transfer-Encoding: chunked'), chunk, /^HTTP\/1\.1 408 /],
    [
      'a body that was asked for',
      (token) => head(token, 'Expect: 100-continue', 'Content-Length: 900000'),
      ' '.repeat(100),
      /^HTTP\/1\.1 100 [^]*HTTP\/1\.1 408 /,
    ],
    [
      'a body behind another request',
      (token) => `GET /apent/side HTTP/1.1\r\nHost: x\r\n\r\n${head(token, 'Content-Length: 900000')}`,
      ' '.repeat(100),
      /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 408 /,
    ],
    ['a body that nobody wants', () => head('A: b', 'Content-Length: 60000'), ' ', /^HTTP\/1\.1 401 /],
    [
      'a body of what is no URL',
      () => head('A: b', 'Content-Length: 60000').replace('/api/sok', '/%zz'),
      ' ',
      /^HTTP\/1\.1 400 /,
    ],
  ])(
    '%s: it is ended, though the client goes on',
    async (_, first, each, answer) => {
      const token = await hurried.issuer.token({ azp: 'en-venn' });
      const { hostname, port } = new URL(hurried.url);
      // It does not end its own side.
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
      let received = '';
      socket.on('data', (part) => (received += part.toString())).on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(first(`Authorization: Bearer ${token}`));
      const drip = setInterval(() => socket.write(each), 20);
      // Who says nothing is not told that its side is closed too.
      const ended = new Promise((done) => socket.once(each === '' ? 'end' : 'close', done));
      await ended;
      clearInterval(drip);
      socket.destroy();
      expect(received).toMatch(answer);
    },
    20_000,
  );
});

test('bodies of one caller leave room for those of others', async () => {
  const small = await startProbeApp({ maxBytes: { bodies: 400_000 } });
  const { port } = new URL(small.url);
  const greedy = await small.issuer.token({ azp: 'graadig' });
  const sockets = Array.from({ length: 4 }, () => {
    const socket = connect(Number(port), '127.0.0.1');
    const head = `POST /api/sok HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${greedy}\r\nContent-Type: application/json`;
    socket.write(`${head}\r\nContent-Length: 100001\r\n\r\n{"navn":["${'x'.repeat(99_980)}`);
    return socket;
  });
  const [refused] = (await Promise.race(sockets.map((socket) => once(socket, 'data')))) as [Buffer];
  expect(String(refused)).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1/i);
  const response = await small.call('/api/sok', {
    method: 'POST',
    body: JSON.stringify({ navn: ['y'.repeat(90_000)] }),
    headers: { 'content-type': 'application/json' },
  });
  expect(response.status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await small.stop();
});
