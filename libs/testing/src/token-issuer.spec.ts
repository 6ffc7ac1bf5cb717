import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts';

const AUDIENCE = 'tiltak-datadeling';
let issuer: TokenIssuer;

beforeEach(async () => {
  issuer = await startTokenIssuer({ port: 0, audience: AUDIENCE });
});
afterEach(() => issuer.stop());

async function verify(token: string, audience = AUDIENCE): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(issuer.jwksUri));
  const { payload } = await jwtVerify(token, keys, { issuer: issuer.issuer, audience, algorithms: ['RS256'] });
  return payload;
}

async function ask(fields: Record<string, string>): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...fields });
  const response = await fetch(`${issuer.issuer}/token`, { method: 'POST', body });
  return ((await response.json()) as { access_token: string }).access_token;
}

const ENTRA = { azp: 'a', sub: 'a', oid: 'a', idtyp: 'app', roles: ['access_as_application'], ver: '2.0' };

test('a token looks like one that Entra ID gives a machine', async () => {
  const payload = await verify(await issuer.token({ azp: 'a' }));
  expect(payload).toMatchObject({ iss: issuer.issuer, aud: AUDIENCE, ...ENTRA });
  expect(Object.keys(payload)).toEqual(expect.arrayContaining(['exp', 'nbf', 'iat']));
});

test('over HTTP it is the same', async () => {
  expect(await verify(await ask({ client_id: 'a' }))).toMatchObject({ aud: AUDIENCE, ...ENTRA });
  expect(await verify(await ask({ client_id: 'a', audience: 'annen' }), 'annen')).toMatchObject({ aud: 'annen' });
});

test('tokens name one issuer, whatever address it is asked at', async () => {
  const named = await startTokenIssuer({ port: 0, audience: AUDIENCE, url: 'http://issuer:8090', host: '127.0.0.1' });
  const { port } = new URL(issuer.issuer);
  const askAt = async (address: string): Promise<string | undefined> => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'a' });
    const response = await fetch(`${address}/token`, { method: 'POST', body });
    return decodeJwt(((await response.json()) as { access_token: string }).access_token).iss;
  };
  try {
    expect(await askAt(`http://localhost:${port}`)).toBe(issuer.issuer);
    expect(await askAt(named.address)).toBe('http://issuer:8090');
  } finally {
    await named.stop();
  }
});

test('claims are replaced and removed, and a token can be made that has expired', async () => {
  const payload = decodeJwt(
    await issuer.token({ azp: 'a', claims: { idtyp: 'user', roles: undefined }, duration: -60 }),
  );
  expect(payload).toMatchObject({ idtyp: 'user', azp: 'a' });
  expect(payload).not.toHaveProperty('roles');
  expect(payload.exp).toBeLessThan(Date.now() / 1000);
});

test('after a rotation the new key signs, and the old one is known until it is dropped', async () => {
  const old = await issuer.token({ azp: 'a' });
  await issuer.rotateKey();
  const fresh = await issuer.token({ azp: 'a' });
  expect(decodeProtectedHeader(fresh).kid).not.toBe(decodeProtectedHeader(old).kid);
  await verify(old);
  await verify(fresh);

  await issuer.rotateKey({ keepOld: false });
  await expect(verify(old)).rejects.toThrow(errors.JWKSNoMatchingKey);
  await expect(verify(fresh)).rejects.toThrow(errors.JWKSNoMatchingKey);
  await verify(await ask({ client_id: 'a' }));
});

test('it can be away for a while, and something else answer in its place', async () => {
  issuer.respondWith({ status: 503, body: '' });
  expect((await fetch(issuer.jwksUri)).status).toBe(503);
  issuer.respondWith({ status: 200, body: '{"ingen": "nøkler"}' });
  expect(await (await fetch(issuer.jwksUri)).json()).toEqual({ ingen: 'nøkler' });
  issuer.respondWith(undefined);
  expect(await (await fetch(issuer.jwksUri)).json()).toMatchObject({ keys: [{ alg: 'RS256' }] });
});
