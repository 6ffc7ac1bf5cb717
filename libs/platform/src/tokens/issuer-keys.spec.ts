import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { Problem } from '../problem.ts';
import { TokenVerifier } from './token-verifier.ts';

interface Pair {
  privateKey: CryptoKey;
  jwk: JWK;
}

let pairs: Pair[];
let keys: JWK[] = [];
let status = 200;
let fetches = 0;
const server = createServer((_, response) => {
  fetches++;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
});

beforeAll(async () => {
  pairs = await Promise.all(
    [1, 2, 3].map(async () => {
      const { privateKey, publicKey } = await generateKeyPair('RS256');
      return { privateKey, jwk: { ...(await exportJWK(publicKey)), use: 'sig' } };
    }),
  );
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});
afterAll(() => new Promise((done) => server.close(done).closeAllConnections()));
beforeEach(() => {
  fetches = 0;
  status = 200;
});

const newVerifier = (): TokenVerifier =>
  new TokenVerifier({
    AZURE_OPENID_CONFIG_ISSUER: 'http://localhost/utsteder',
    AZURE_APP_CLIENT_ID: 'oss',
    AZURE_OPENID_CONFIG_JWKS_URI: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`,
  });

function pair(n: number): Pair {
  const found = pairs[n];
  if (!found) throw new Error('There is no such pair');
  return found;
}

const published = (n: number, kid?: string): JWK => ({ ...pair(n).jwk, ...(kid === undefined ? {} : { kid }) });

const token = (n: number, kid?: string): Promise<string> =>
  new SignJWT({ azp: 'app', idtyp: 'app', jti: `${String(n)}${String(kid)}${String(Math.random())}` })
    .setProtectedHeader({ alg: 'RS256', ...(kid === undefined ? {} : { kid }) })
    .setIssuer('http://localhost/utsteder')
    .setAudience('oss')
    .setExpirationTime('1h')
    .sign(pair(n).privateKey);

async function verdict(verifier: TokenVerifier, proof: string): Promise<number> {
  try {
    await verifier.verify(proof);
    return 200;
  } catch (error) {
    return error instanceof Problem ? error.problemType.status : 500;
  }
}

test.each<[string, () => JWK[], string | undefined]>([
  ['two keys of one id', () => [published(0, 'a'), published(1, 'a')], 'a'],
  ['two keys without an id, and a token without', () => [published(0), published(1)], undefined],
  ['two keys without an id, and a token that names one', () => [published(0), published(1)], 'a'],
  ['two keys with ids, and a token without', () => [published(0, 'a'), published(1, 'b')], undefined],
  ['keys with ids, and one without', () => [published(0, 'x'), published(1), published(0)], 'a'],
])('%s are tried in turn, and what none of them has signed is refused', async (_, publish, kid) => {
  keys = publish();
  const verifier = newVerifier();
  expect([await verdict(verifier, await token(0, kid)), await verdict(verifier, await token(1, kid))]).toEqual([
    200, 200,
  ]);
  expect(await verdict(verifier, await token(2, kid))).toBe(401);
});

test('a flood of unknown keys asks the key server once, and once a second while it fails', async () => {
  keys = [published(0, 'a')];
  const verifier = newVerifier();
  expect(await verdict(verifier, await token(0, 'a'))).toBe(200);
  for (let i = 0; i < 20; i++) expect(await verdict(verifier, await token(1, `ukjent-${String(i)}`))).toBe(401);
  expect(fetches).toBe(1);
  status = 500;
  fetches = 0;
  const alone = newVerifier();
  const begun = Date.now();
  for (let i = 0; i < 20; i++) expect(await verdict(alone, await token(1, 'a'))).toBe(503);
  expect(fetches).toBeLessThanOrEqual(1 + (Date.now() - begun) / 1_000);
});
