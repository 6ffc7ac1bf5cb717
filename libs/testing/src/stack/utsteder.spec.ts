import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import { startUtsteder, type LokalUtsteder } from './utsteder.ts';

const AUDIENCE = 'tiltak-datadeling';
let utsteder: LokalUtsteder;

beforeEach(async () => {
  utsteder = await startUtsteder({ port: 0, audience: AUDIENCE });
});
afterEach(() => utsteder.stopp());

async function verifiser(token: string, audience = AUDIENCE): Promise<JWTPayload> {
  const noekler = createRemoteJWKSet(new URL(utsteder.jwksUri));
  const { payload } = await jwtVerify(token, noekler, { issuer: utsteder.issuer, audience, algorithms: ['RS256'] });
  return payload;
}

async function spor(felter: Record<string, string>): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...felter });
  const svar = await fetch(`${utsteder.issuer}/token`, { method: 'POST', body });
  return ((await svar.json()) as { access_token: string }).access_token;
}

const ENTRA = { azp: 'a', sub: 'a', oid: 'a', idtyp: 'app', roles: ['access_as_application'], ver: '2.0' };

test('a token looks like one that Entra ID gives a machine', async () => {
  const payload = await verifiser(await utsteder.token({ azp: 'a' }));
  expect(payload).toMatchObject({ iss: utsteder.issuer, aud: AUDIENCE, ...ENTRA });
  expect(Object.keys(payload)).toEqual(expect.arrayContaining(['exp', 'nbf', 'iat']));
});

test('over HTTP it is the same', async () => {
  expect(await verifiser(await spor({ client_id: 'a' }))).toMatchObject({ aud: AUDIENCE, ...ENTRA });
  expect(await verifiser(await spor({ client_id: 'a', audience: 'annen' }), 'annen')).toMatchObject({ aud: 'annen' });
});

test('claims are replaced and removed, and a token can be made that has expired', async () => {
  const payload = decodeJwt(
    await utsteder.token({ azp: 'a', claims: { idtyp: 'user', roles: undefined }, varighet: -60 }),
  );
  expect(payload).toMatchObject({ idtyp: 'user', azp: 'a' });
  expect(payload).not.toHaveProperty('roles');
  expect(payload.exp).toBeLessThan(Date.now() / 1000);
});

test('after a rotation the new key signs, and the old one is known until it is dropped', async () => {
  const gammelt = await utsteder.token({ azp: 'a' });
  await utsteder.roterNoekkel();
  const nytt = await utsteder.token({ azp: 'a' });
  expect(decodeProtectedHeader(nytt).kid).not.toBe(decodeProtectedHeader(gammelt).kid);
  await verifiser(gammelt);
  await verifiser(nytt);

  await utsteder.roterNoekkel({ beholdGammel: false });
  await expect(verifiser(gammelt)).rejects.toThrow(errors.JWKSNoMatchingKey);
  await expect(verifiser(nytt)).rejects.toThrow(errors.JWKSNoMatchingKey);
  await verifiser(await spor({ client_id: 'a' }));
});

test('it can be away for a while', async () => {
  utsteder.settBorte(true);
  expect((await fetch(utsteder.jwksUri)).status).toBe(503);
  utsteder.settBorte(false);
  expect((await fetch(utsteder.jwksUri)).status).toBe(200);
});
