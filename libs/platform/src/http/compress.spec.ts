import { request, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { startProbeApp, type ProbeApp } from '../testing/probe-app.ts';

let app: ProbeApp;
beforeAll(async () => {
  app = await startProbeApp();
});
afterAll(() => app.stop());

/** As it comes: fetch would unpack it. */
async function ask(path: string, acceptEncoding?: string, method = 'GET'): Promise<[IncomingMessage, Buffer]> {
  const headers = {
    authorization: `Bearer ${await app.issuer.token({ azp: 'a' })}`,
    ...(acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding }),
  };
  const response = await new Promise<IncomingMessage>((done, failed) => {
    request(`${app.url}${path}`, { method, headers }, done).on('error', failed).end();
  });
  return [response, await buffer(response)];
}

const UNPACK = { br: brotliDecompressSync, gzip: gunzipSync };

test('an answer is the same in every encoding, has its length, and is left alone when it is small', async () => {
  const bytes = fc.oneof(fc.integer({ min: 900, max: 1_100 }), fc.integer({ min: 0, max: 200_000 }));
  const accepted = fc.constantFrom(
    [undefined, undefined],
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['gzip;q=0.2, br;q=0.1', 'gzip'],
    ['identity', undefined],
    ['deflate', undefined],
    ['*;q=0', undefined],
    [';;,', undefined],
  );
  await fc.assert(
    fc.asyncProperty(bytes, accepted, async (size, [acceptEncoding, encoding]) => {
      const path = `/api/stort/${String(size)}`;
      const [, plain] = await ask(path);
      const [{ headers }, body] = await ask(path, acceptEncoding);
      const isLarge = plain.length >= 1_024;
      const used = isLarge ? encoding : undefined;
      expect([headers['content-encoding'], headers['content-length']]).toEqual([used, String(body.length)]);
      expect(headers['vary']).toBe(isLarge ? 'Accept-Encoding' : undefined);
      const unpacked = used === 'br' || used === 'gzip' ? UNPACK[used](body) : body;
      expect(unpacked.equals(plain)).toBe(true);
      const [head, nothing] = await ask(path, acceptEncoding, 'HEAD');
      expect([head.headers['content-encoding'], head.headers['content-length'], nothing.length]).toEqual([
        ...[used, String(body.length), 0],
      ]);
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('what is no JSON goes out as it is', async () => {
  const [{ headers }] = await ask('/internal/prometheus', 'br, gzip');
  expect([headers['content-encoding'], headers['vary']]).toEqual([undefined, undefined]);
});
