import { SignJWT, exportJWK, generateKeyPair, importSPKI, exportSPKI } from 'jose';
import { statusBeforeBody } from '@tiltak/testing';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());

const PROBLEM = 'application/problem+json; charset=utf-8';

/** What every registered consumer may ask, whatever it is granted: what it is granted. */
const ABOUT_ITSELF = '/api/v1/tilgang';

interface Route {
  metode: string;
  path: string;
}

/** Every operation of the published document, with values that fit its parameters. */
async function routes(): Promise<Route[]> {
  const { body } = await api.call('GET', '/openapi.json', { token: null });
  return Object.entries(body.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      metode: method.toUpperCase(),
      path: path
        .replace(/\{(bedriftNr|organisasjonsnummer)\}/, '910825518')
        .replace('{avtaleNr}', '1')
        .replace(/\{\w+Id\}/, '00000000-0000-4000-8000-000000000000'),
    })),
  );
}

const bodyFor = ({ metode: method }: Route): unknown => (method === 'POST' ? {} : undefined);

describe('every route', () => {
  test('but those listed as open needs a token', async () => {
    const all = await routes();
    expect(all.length).toBeGreaterThanOrEqual(7);
    for (const route of [
      ...all,
      { metode: 'GET', path: '/finnes-ikke' },
      { metode: 'GET', path: '/api/v1' },
      { metode: 'DELETE', path: '/' },
    ]) {
      const response = await api.call(route.metode, route.path, { token: null, body: bodyFor(route) });
      expect([route.path, response.status, response.headers.get('content-type')]).toEqual([route.path, 401, PROBLEM]);
      expect(response.body).toMatchObject({
        type: 'urn:tiltak-datadeling:feil:mangler-token',
        callId: response.headers.get('nav-call-id'),
      });
    }
    for (const path of [
      '/internal/isalive',
      '/internal/isready',
      '/internal/prometheus',
      '/openapi.json',
      '/swagger',
    ]) {
      expect([path, (await api.call('GET', path, { token: null })).status]).toEqual([path, 200]);
    }
  });

  test('refuses a consumer that is not registered', async () => {
    for (const route of await routes()) {
      const response = await api.call(route.metode, route.path, { as: 'ukjent', body: bodyFor(route) });
      expect([route.path, response.status, response.body.detail]).toEqual([
        route.path,
        403,
        'The client (azp) of the token is not a registered consumer',
      ]);
    }
  });

  test('refuses a machine without the app role', async () => {
    const token = await api.issuer.token({ azp: 'alt', claims: { roles: ['annet'] } });
    for (const route of await routes()) {
      const response = await api.call(route.metode, route.path, { token, body: bodyFor(route) });
      expect([route.path, response.status, response.body.detail]).toEqual([
        route.path,
        403,
        'The token lacks the app role access_as_application (claim roles)',
      ]);
    }
  });

  test('refuses a consumer that has not accepted the terms of use, and names the version', async () => {
    for (const route of await routes()) {
      if (route.path === ABOUT_ITSELF) continue;
      const response = await api.call(route.metode, route.path, { as: 'uten-vilkaar', body: bodyFor(route) });
      expect([route.path, response.status, response.body.detail]).toEqual([
        route.path,
        403,
        'The consumer must accept version 2 of the terms of use (docs/bruksvilkaar.md), and has accepted none',
      ]);
    }
    const other = await api.call('GET', '/api/v1/ferskhet', { as: 'ukjente-vilkaar' });
    expect(other).toMatchObject({ status: 403, body: { detail: expect.stringMatching(/ version 2 .* version 7$/) } });
  });

  test('refuses who is not registered before anything of the body has come', async () => {
    const token = await api.issuer.token({ azp: 'ukjent' });
    for (const { metode: method, path } of await routes()) {
      if (method !== 'POST') continue;
      expect([path, await statusBeforeBody(method, api.url + path, token)]).toEqual([path, 403]);
    }
  });

  test('names the operation that is not granted', async () => {
    for (const route of await routes()) {
      if (route.path.endsWith('tiltaksstatus') || route.path === ABOUT_ITSELF) continue;
      const response = await api.call(route.metode, route.path, { as: 'smal', body: bodyFor(route) });
      expect([route.path, response.status]).toEqual([route.path, 403]);
      expect(response.body.detail).toMatch(/^The operation \w+ is not granted/);
    }
  });
});

test('who has accepted the terms before these is refused what they say nothing of, and is told which to accept', async () => {
  const register = await api.call('GET', '/api/v1/virksomheter/910825518', { as: 'forrige-vilkaar' });
  expect(register).toMatchObject({ status: 403, body: { detail: expect.stringMatching(/ version 2 .* version 1$/) } });
  const below = await api.call('POST', '/api/v1/avtaler/sok', {
    as: 'forrige-vilkaar',
    body: { hovedenhet: '910712217' },
  });
  expect(below).toMatchObject({
    status: 403,
    body: { detail: expect.stringMatching(/version .*of the terms of use/) },
  });
});

test('the fields that are not granted are named', async () => {
  const search = await api.call('POST', '/api/v1/avtaler/sok', { as: 'faa-felter', body: {} });
  expect(search).toMatchObject({ status: 403 });
  expect(search.body.detail).toContain('bedriftNr');
  expect(search.body.detail).not.toContain('tiltakstype');
});

test('a consumer with several purposes must say which', async () => {
  const call = (headers: Record<string, string>): Promise<{ status: number; body: { feil?: unknown[] } }> =>
    api.call('POST', '/api/v1/avtaler/sok', { as: 'to-formal', body: {}, headers });
  expect(await call({})).toMatchObject({ status: 400, body: { feil: [{ felt: 'Behandlingsgrunnlag' }] } });
  expect(await call({ behandlingsgrunnlag: 'B1' })).toMatchObject({ status: 200 });
  expect(await call({ behandlingsgrunnlag: 'B2' })).toMatchObject({ status: 403 });
  expect(await call({ behandlingsgrunnlag: 'B3' })).toMatchObject({ status: 403 });
});

test('a quota that is used up is 429 with the time to wait, and others are not affected', async () => {
  const response = await Promise.all(
    Array.from({ length: 12 }, () => api.call('POST', '/api/v1/avtaler/sok', { as: 'graadig', body: {} })),
  );
  const tooMany = response.filter(({ status }) => status === 429);
  expect(tooMany.length).toBeGreaterThanOrEqual(12 - 3 - 5);
  expect(tooMany[0]?.headers.get('retry-after')).toBe('1');
  expect(response.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
  expect((await api.call('POST', '/api/v1/avtaler/sok', { body: {} })).status).toBe(200);
});

describe('tokens', () => {
  const status = async (token: string): Promise<number> =>
    (await api.call('GET', '/api/v1/ferskhet', { token })).status;
  const claims = (change: Record<string, unknown>): Promise<string> => api.issuer.token({ azp: 'alt', claims: change });
  const seconds = Math.floor(Date.now() / 1000);

  test.each([
    ['another issuer', { iss: 'http://127.0.0.1:1' }],
    ['another audience', { aud: 'en-annen-tjeneste' }],
    ['expired', { exp: seconds - 60 }],
    ['not yet valid', { nbf: seconds + 300 }],
    ['without expiry', { exp: undefined }],
    ['of a user', { idtyp: 'user' }],
    ['without idtyp', { idtyp: undefined }],
    ['without azp', { azp: undefined }],
  ])('%s: refused', async (_, change) => expect(await status(await claims(change))).toBe(401));

  test('within the leeway of 30 s: accepted', async () => {
    expect(await status(await claims({ exp: seconds - 5 }))).toBe(200);
    expect(await status(await claims({ nbf: seconds + 20 }))).toBe(200);
  });

  test('signed otherwise than with RS256 by a key of the issuer: refused', async () => {
    const content = {
      iss: api.issuer.issuer,
      aud: 'tiltak-datadeling',
      azp: 'alt',
      idtyp: 'app',
      exp: seconds + 600,
    };
    const { keys } = (await (await fetch(api.issuer.jwksUri)).json()) as {
      keys: (Record<string, string> & { kid: string })[];
    };
    const kid = keys[0]?.kid ?? '';
    const foreign = await generateKeyPair('RS256', { extractable: true });
    const withParts = (alg: string, key: Parameters<SignJWT['sign']>[0]): Promise<string> =>
      new SignJWT(content).setProtectedHeader({ alg, kid }).sign(key);
    const pem = await exportSPKI(foreign.publicKey);
    await importSPKI(pem, 'RS256');
    const part = (thing: unknown): string => Buffer.from(JSON.stringify(thing)).toString('base64url');
    const tokens = {
      'alg none': `${part({ alg: 'none' })}.${part(content)}.`,
      'HS256 with the public key as secret': await withParts(
        'HS256',
        new TextEncoder().encode(JSON.stringify(await exportJWK(foreign.publicKey))),
      ),
      'another key under a known kid': await withParts('RS256', foreign.privateKey),
      garbage: 'a.b.c',
      'not a token': 'hei',
    };
    for (const [what, token] of Object.entries(tokens)) expect([what, await status(token)]).toEqual([what, 401]);
  });

  test('signed with a new key of the issuer: accepted', async () => {
    await api.issuer.rotateKey();
    // The key set is fetched again at most once in five seconds.
    await new Promise((done) => setTimeout(done, 5_100));
    expect(await status(await api.issuer.token({ azp: 'alt' }))).toBe(200);
  });
});
