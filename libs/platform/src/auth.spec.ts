import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { TokenVerifiserer } from './auth.ts';
import { Problem } from './problem.ts';

/** The key server of an issuer, which can be taken away. */
let server: Server;
let jwksUri: string;
let noekkel: CryptoKey;
let svar: { status: number; body: string };

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  noekkel = privateKey;
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'RS256' }] });
  server = createServer(
    (_, reply) => void reply.writeHead(svar.status, { 'content-type': 'application/json' }).end(svar.body),
  );
  await new Promise<void>((klar) => server.listen(0, '127.0.0.1', klar));
  const adresse = server.address();
  jwksUri = `http://127.0.0.1:${String(typeof adresse === 'object' ? adresse?.port : 0)}/jwks`;
  svar = { status: 200, body: jwks };
});
afterAll(() => new Promise((ferdig) => server.close(ferdig)));

const ny = (uri = jwksUri): TokenVerifiserer =>
  new TokenVerifiserer({ issuer: 'https://i', audience: 'oss', jwksUri: uri });

function token(claims: Record<string, unknown> = {}): Promise<string> {
  const innhold = {
    iss: 'https://i',
    aud: 'oss',
    azp: 'app',
    idtyp: 'app',
    exp: Math.floor(Date.now() / 1000) + 60,
    ...claims,
  };
  return new SignJWT(innhold).setProtectedHeader({ alg: 'RS256', kid: 'a' }).sign(noekkel);
}

async function status(verifiserer: TokenVerifiserer, bevis: string): Promise<number> {
  try {
    await verifiserer.verifiser(bevis);
    return 200;
  } catch (feil) {
    return feil instanceof Problem ? feil.feilkode.status : 500;
  }
}

test('a machine token is let through', async () => {
  await expect(ny().verifiser(await token())).resolves.toMatchObject({ azp: 'app' });
});

test('keys that can not be had are 503 with the time to wait: neither allowed nor the fault of the caller', async () => {
  const bevis = await token();
  expect(await status(ny('http://127.0.0.1:1/jwks'), bevis)).toBe(503);
  const { body } = svar;
  svar = { status: 500, body: 'feil' };
  expect(await status(ny(), bevis)).toBe(503);
  svar = { status: 200, body: '{"ingen": "nøkler"}' };
  expect(await status(ny(), bevis)).toBe(503);
  svar = { status: 200, body };
});

test('known keys go on when the key server goes away', async () => {
  const verifiserer = ny();
  expect(await status(verifiserer, await token())).toBe(200);
  const { body } = svar;
  svar = { status: 500, body: '' };
  expect(await status(verifiserer, await token({ jti: 'another' }))).toBe(200);
  svar = { status: 200, body };
});

test('a verified token is not believed past its expiry', async () => {
  const verifiserer = ny();
  // Within the leeway now, and out of it a second later.
  const bevis = await token({ exp: Math.floor(Date.now() / 1000) - 28 });
  expect(await status(verifiserer, bevis)).toBe(200);
  await new Promise((ferdig) => setTimeout(ferdig, 3_000));
  expect(await status(verifiserer, bevis)).toBe(401);
});
