import { SignJWT, exportJWK, generateKeyPair, importSPKI, exportSPKI } from 'jose';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.settFerskhet(new Date());
});
afterAll(() => api.stopp());

const PROBLEM = 'application/problem+json; charset=utf-8';

interface Rute {
  metode: string;
  sti: string;
}

/** Every operation of the published document, with values that fit its parameters. */
async function ruter(): Promise<Rute[]> {
  const { body } = await api.kall('GET', '/openapi.json', { token: null });
  return Object.entries(body.paths as Record<string, object>).flatMap(([sti, operasjoner]) =>
    Object.keys(operasjoner).map((metode) => ({
      metode: metode.toUpperCase(),
      sti: sti
        .replace('{bedriftNr}', '910825518')
        .replace('{avtaleNr}', '1')
        .replace(/\{\w+Id\}/, '00000000-0000-4000-8000-000000000000'),
    })),
  );
}

const bodyFor = ({ metode }: Rute): unknown => (metode === 'POST' ? {} : undefined);

describe('every route', () => {
  test('but those listed as open needs a token', async () => {
    const alle = await ruter();
    expect(alle.length).toBeGreaterThanOrEqual(7);
    for (const rute of [
      ...alle,
      { metode: 'GET', sti: '/finnes-ikke' },
      { metode: 'GET', sti: '/api/v1' },
      { metode: 'DELETE', sti: '/' },
    ]) {
      const svar = await api.kall(rute.metode, rute.sti, { token: null, body: bodyFor(rute) });
      expect([rute.sti, svar.status, svar.headers.get('content-type')]).toEqual([rute.sti, 401, PROBLEM]);
      expect(svar.body).toMatchObject({
        type: 'urn:tiltak-datadeling:feil:mangler-token',
        callId: svar.headers.get('nav-call-id'),
      });
    }
    for (const sti of ['/internal/isalive', '/internal/isready', '/internal/prometheus', '/openapi.json', '/swagger']) {
      expect([sti, (await api.kall('GET', sti, { token: null })).status]).toEqual([sti, 200]);
    }
  });

  test('refuses a consumer that is not registered', async () => {
    for (const rute of await ruter()) {
      const svar = await api.kall(rute.metode, rute.sti, { som: 'ukjent', body: bodyFor(rute) });
      expect([rute.sti, svar.status, svar.body.detail]).toEqual([
        rute.sti,
        403,
        'The client (azp) of the token is not a registered consumer',
      ]);
    }
  });

  test('names the operation that is not granted', async () => {
    for (const rute of await ruter()) {
      if (rute.sti.endsWith('tiltaksstatus')) continue;
      const svar = await api.kall(rute.metode, rute.sti, { som: 'smal', body: bodyFor(rute) });
      expect([rute.sti, svar.status]).toEqual([rute.sti, 403]);
      expect(svar.body.detail).toMatch(/^The operation \w+ is not granted/);
    }
  });
});

test('the fields that are not granted are named', async () => {
  const sok = await api.kall('POST', '/api/v1/avtaler/sok', { som: 'faa-felter', body: {} });
  expect(sok).toMatchObject({ status: 403 });
  expect(sok.body.detail).toContain('bedriftNr');
  expect(sok.body.detail).not.toContain('tiltakstype');
});

test('a consumer with several purposes must say which', async () => {
  const kall = (hoder: Record<string, string>): Promise<{ status: number; body: { feil?: unknown[] } }> =>
    api.kall('POST', '/api/v1/avtaler/sok', { som: 'to-formal', body: {}, hoder });
  expect(await kall({})).toMatchObject({ status: 400, body: { feil: [{ felt: 'Behandlingsgrunnlag' }] } });
  expect(await kall({ behandlingsgrunnlag: 'B1' })).toMatchObject({ status: 200 });
  expect(await kall({ behandlingsgrunnlag: 'B2' })).toMatchObject({ status: 403 });
  expect(await kall({ behandlingsgrunnlag: 'B3' })).toMatchObject({ status: 403 });
});

test('a quota that is used up is 429 with the time to wait, and others are not affected', async () => {
  const svar = await Promise.all(
    Array.from({ length: 12 }, () => api.kall('POST', '/api/v1/avtaler/sok', { som: 'graadig', body: {} })),
  );
  const for_mange = svar.filter(({ status }) => status === 429);
  expect(for_mange.length).toBeGreaterThanOrEqual(12 - 3 - 5);
  expect(for_mange[0]?.headers.get('retry-after')).toBe('1');
  expect(svar.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
  expect((await api.kall('POST', '/api/v1/avtaler/sok', { body: {} })).status).toBe(200);
});

describe('tokens', () => {
  const status = async (token: string): Promise<number> =>
    (await api.kall('GET', '/api/v1/ferskhet', { token })).status;
  const claims = (endring: Record<string, unknown>): Promise<string> =>
    api.utsteder.token({ azp: 'alt', claims: endring });
  const sekunder = Math.floor(Date.now() / 1000);

  test.each([
    ['another issuer', { iss: 'http://127.0.0.1:1' }],
    ['another audience', { aud: 'en-annen-tjeneste' }],
    ['expired', { exp: sekunder - 60 }],
    ['not yet valid', { nbf: sekunder + 300 }],
    ['without expiry', { exp: undefined }],
    ['of a user', { idtyp: 'user' }],
    ['without idtyp', { idtyp: undefined }],
    ['without azp', { azp: undefined }],
  ])('%s: refused', async (_, endring) => expect(await status(await claims(endring))).toBe(401));

  test('within the leeway of 30 s: accepted', async () => {
    expect(await status(await claims({ exp: sekunder - 5 }))).toBe(200);
    expect(await status(await claims({ nbf: sekunder + 20 }))).toBe(200);
  });

  test('signed otherwise than with RS256 by a key of the issuer: refused', async () => {
    const innhold = {
      iss: api.utsteder.issuer,
      aud: 'tiltak-datadeling',
      azp: 'alt',
      idtyp: 'app',
      exp: sekunder + 600,
    };
    const { keys } = (await (await fetch(api.utsteder.jwksUri)).json()) as {
      keys: (Record<string, string> & { kid: string })[];
    };
    const kid = keys[0]?.kid ?? '';
    const fremmed = await generateKeyPair('RS256', { extractable: true });
    const med = (alg: string, noekkel: Parameters<SignJWT['sign']>[0]): Promise<string> =>
      new SignJWT(innhold).setProtectedHeader({ alg, kid }).sign(noekkel);
    const pem = await exportSPKI(fremmed.publicKey);
    await importSPKI(pem, 'RS256');
    const del = (ting: unknown): string => Buffer.from(JSON.stringify(ting)).toString('base64url');
    const tokens = {
      'alg none': `${del({ alg: 'none' })}.${del(innhold)}.`,
      'HS256 with the public key as secret': await med(
        'HS256',
        new TextEncoder().encode(JSON.stringify(await exportJWK(fremmed.publicKey))),
      ),
      'another key under a known kid': await med('RS256', fremmed.privateKey),
      garbage: 'a.b.c',
      'not a token': 'hei',
    };
    for (const [hva, token] of Object.entries(tokens)) expect([hva, await status(token)]).toEqual([hva, 401]);
  });

  test('signed with a new key of the issuer: accepted', async () => {
    await api.utsteder.roterNoekkel();
    // The key set is fetched again at most once in five seconds.
    await new Promise((ferdig) => setTimeout(ferdig, 5_100));
    expect(await status(await api.utsteder.token({ azp: 'alt' }))).toBe(200);
  });
});
