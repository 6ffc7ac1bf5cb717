import { request, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { startProbeApp, type ProbeApp } from '../testing/probe-app.ts';
import { HTML, servePage } from './pages.ts';

const PAGE = '<!doctype html>'.repeat(1_000);
const FONT = Buffer.alloc(5_000, 'x');
let app: ProbeApp;
beforeAll(async () => {
  app = await startProbeApp({
    openRoutes: ['/side/*'],
    withHead: false,
    configure: (nest) =>
      servePage(nest.getHttpAdapter().getInstance() as FastifyInstance, {
        '/side/side': { type: HTML, content: PAGE },
        '/side/skrift.woff2': { type: 'font/woff2', content: FONT },
      }),
  });
});
afterAll(() => app.stop());

/** As it comes: fetch would unpack it. */
async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<[IncomingMessage, Buffer]> {
  const response = await new Promise<IncomingMessage>((done, failed) => {
    request(`${app.url}${path}`, { method, headers }, done).on('error', failed).end();
  });
  return [response, await buffer(response)];
}

test.each([
  [undefined, undefined],
  ['gzip;q=0', undefined],
  ['br;q=0, gzip', 'gzip'],
  ['br, gzip;q=0.5', 'br'],
])('a file of a page goes out as who asks takes it: %s', async (accepted, encoding) => {
  const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
  const [answer, bytes] = await ask('/side/side', headers);
  expect([answer.statusCode, answer.headers['content-encoding'], answer.headers['vary']]).toEqual([
    ...[200, encoding, 'Accept-Encoding'],
  ]);
  expect(answer.headers['content-security-policy']).toContain("script-src 'self'");
  const plain = encoding === 'br' ? brotliDecompressSync(bytes) : encoding === 'gzip' ? gunzipSync(bytes) : bytes;
  expect(plain.toString()).toBe(PAGE);
  const [head, nothing] = await ask('/side/side', headers, 'HEAD');
  expect([head.statusCode, head.headers['content-length'], nothing.length]).toEqual([200, String(bytes.length), 0]);
});

test('who has a file already is told so, and a font is compressed as it is', async () => {
  const [{ headers }, font] = await ask('/side/skrift.woff2', { 'accept-encoding': 'br, gzip' });
  expect([headers['content-encoding'], headers['content-type'], font.equals(FONT)]).toEqual([
    ...[undefined, 'font/woff2', true],
  ]);
  for (const path of ['/side/skrift.woff2', '/side/side']) {
    const [{ headers: first }] = await ask(path, { 'accept-encoding': 'br' });
    const [again, nothing] = await ask(path, { 'if-none-match': String(first['etag']) });
    expect([again.statusCode, nothing.length]).toEqual([304, 0]);
  }
});
