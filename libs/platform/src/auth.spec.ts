import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { TokenVerifier } from './auth.ts';
import { Problem } from './problem.ts';

/** The key server of an issuer, which can be taken away. */
let server: Server;
let jwksUri: string;
let key: CryptoKey;
let response: { status: number; body: string };

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  key = privateKey;
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'RS256' }] });
  server = createServer(
    (_, reply) => void reply.writeHead(response.status, { 'content-type': 'application/json' }).end(response.body),
  );
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  jwksUri = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}/jwks`;
  response = { status: 200, body: jwks };
});
afterAll(() => new Promise((done) => server.close(done)));

const newVerifier = (uri = jwksUri): TokenVerifier =>
  new TokenVerifier({ issuer: 'https://i', audience: 'oss', jwksUri: uri });

function token(claims: Record<string, unknown> = {}): Promise<string> {
  const content = {
    iss: 'https://i',
    aud: 'oss',
    azp: 'app',
    idtyp: 'app',
    exp: Math.floor(Date.now() / 1000) + 60,
    ...claims,
  };
  return new SignJWT(content).setProtectedHeader({ alg: 'RS256', kid: 'a' }).sign(key);
}

async function status(verifier: TokenVerifier, proof: string): Promise<number> {
  try {
    await verifier.verify(proof);
    return 200;
  } catch (error) {
    return error instanceof Problem ? error.problemType.status : 500;
  }
}

test('a machine token is let through', async () => {
  await expect(newVerifier().verify(await token())).resolves.toMatchObject({ azp: 'app' });
});

test('keys that can not be had are 503 with the time to wait: neither allowed nor the fault of the caller', async () => {
  const proof = await token();
  expect(await status(newVerifier('http://127.0.0.1:1/jwks'), proof)).toBe(503);
  const { body } = response;
  response = { status: 500, body: 'feil' };
  expect(await status(newVerifier(), proof)).toBe(503);
  response = { status: 200, body: '{"ingen": "nøkler"}' };
  expect(await status(newVerifier(), proof)).toBe(503);
  response = { status: 200, body };
});

test('known keys go on when the key server goes away', async () => {
  const verifier = newVerifier();
  expect(await status(verifier, await token())).toBe(200);
  const { body } = response;
  response = { status: 500, body: '' };
  expect(await status(verifier, await token({ jti: 'another' }))).toBe(200);
  response = { status: 200, body };
});

test('a verified token is not believed past its expiry', async () => {
  const verifier = newVerifier();
  // Within the leeway now, and out of it a second later.
  const proof = await token({ exp: Math.floor(Date.now() / 1000) - 28 });
  expect(await status(verifier, proof)).toBe(200);
  await new Promise((done) => setTimeout(done, 3_000));
  expect(await status(verifier, proof)).toBe(401);
});
