import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { syntheticFnr } from '@tiltak/testing';
import { startTestApi, type TestApi } from './testing/test-api.ts';

/** Whom the answers may be compressed for: not for who could read in their length what others must not know. */
let api: TestApi;
const AVTALE = '00000000-0000-4000-8000-000000000001';
beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  await api.insertAvtale({
    ...{ avtale_id: AVTALE, avtale_nr: 1, deltaker_fnr: syntheticFnr(1), bedrift_nr: '910825518' },
    ...{ bedrift_navn: 'Navn '.repeat(150), start_dato: '2026-01-01', avtale_inngaatt: '2026-01-01T00:00:00Z' },
  });
});
afterAll(() => api.stop());

/** As it comes: fetch would unpack it. */
async function headersOf(method: string, path: string, body?: unknown): Promise<IncomingHttpHeaders> {
  const headers = {
    authorization: `Bearer ${await api.issuer.token({ azp: 'alt' })}`,
    'accept-encoding': 'gzip, deflate, br',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const response = await new Promise<IncomingMessage>((done, failed) => {
    const sent = request(`${api.url}${path}`, { method, headers }, done).on('error', failed);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await buffer(response);
  return { ...response.headers, status: String(response.statusCode) };
}

test.each([
  ['POST', '/api/v1/avtaler/sok', { bedriftsnumre: ['910825518'] }],
  // Without a third value jest would hand over a callback, and wait for it.
  ['GET', `/api/v1/avtaler/${AVTALE}`, undefined],
  ['GET', '/api/v1/bedrifter/910825518/avtaler', undefined],
])('%s %s: what is found is compressed', async (method, path, body) => {
  const { status, vary, 'content-encoding': encoding, etag } = await headersOf(method, path, body);
  expect([status, vary, encoding]).toEqual(['200', 'Accept-Encoding', expect.stringMatching(/^(br|gzip)$/)]);
  // Of what it says, and not of these bytes.
  if (etag !== undefined) expect(etag).toMatch(/^W\//);
});

test.each([
  [
    '/api/v1/personer/tiltaksstatus',
    { personer: [{ referanse: 'x'.repeat(100), personidenter: [syntheticFnr(1)] }], felter: ['bedriftNavn'] },
  ],
  ['/graphql', { query: `{ ${'x'.repeat(100)}: avtale(avtaleNr: 1) { ${'y'.repeat(900)}: bedriftNr deltakerFnr } }` }],
])('POST %s: what the caller wrote comes back beside data on persons, and is not compressed', async (path, body) => {
  const { status, 'content-encoding': encoding, 'content-length': length } = await headersOf('POST', path, body);
  expect([status, encoding]).toEqual(['200', undefined]);
  expect(Number(length)).toBeGreaterThan(1_024);
});
