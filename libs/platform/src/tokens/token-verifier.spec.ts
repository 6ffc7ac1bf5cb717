import { onDuty, ON_DUTY_NAV_IDENT, startTokenIssuer, type TokenIssuer } from '@tiltak/testing';
import { localIssuerVariables, maskinportenVariables, readEnvironment } from '../config.ts';
import { Problem } from '../problem.ts';
import { navIdentOf, type EntraToken } from './entra.ts';
import { clientOf } from './token.ts';
import { TokenVerifier, type TokenConfig } from './token-verifier.ts';

let issuer: TokenIssuer;

beforeAll(async () => {
  issuer = await startTokenIssuer({ port: 0, audience: 'oss' });
});
afterAll(() => issuer.stop());
afterEach(() => issuer.respondWith(undefined));

const configOf = (jwksUri = issuer.jwksUri): TokenConfig => ({
  AZURE_OPENID_CONFIG_ISSUER: issuer.issuer,
  AZURE_APP_CLIENT_ID: 'oss',
  AZURE_OPENID_CONFIG_JWKS_URI: jwksUri,
});
const newVerifier = (jwksUri?: string): TokenVerifier => new TokenVerifier(configOf(jwksUri));

const token = (claims: Record<string, unknown> = {}): Promise<string> => issuer.token({ azp: 'app', claims });

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

test('a token of a person is let through only where persons are taken', async () => {
  const person = await token(onDuty());
  expect(await status(newVerifier(), person)).toBe(401);
  const takesPersons = new TokenVerifier(configOf(), { takesPersons: true });
  expect(navIdentOf((await takesPersons.verify(person)) as EntraToken)).toBe(ON_DUTY_NAV_IDENT);
  expect(await status(takesPersons, await token())).toBe(200);
});

test.each<[string, Record<string, unknown>]>([
  ['a machine, whatever it says', { idtyp: 'app', NAVident: ON_DUTY_NAV_IDENT }],
  ['without the claim', { NAVident: undefined }],
  ['with a claim that is no Nav ident', { NAVident: 'vakt@nav.example' }],
  ['with several', { NAVident: [ON_DUTY_NAV_IDENT] }],
])('%s has no Nav ident', (_, claims) => {
  expect(navIdentOf({ issuedBy: 'entra', azp: 'app', exp: 0, ...onDuty(), ...claims })).toBeUndefined();
});

test('keys that can not be had are 503 with the time to wait: neither allowed nor the fault of the caller', async () => {
  const proof = await token();
  expect(await status(newVerifier('http://127.0.0.1:1/jwks'), proof)).toBe(503);
  issuer.respondWith({ status: 500, body: 'feil' });
  expect(await status(newVerifier(), proof)).toBe(503);
  issuer.respondWith({ status: 200, body: '{"ingen": "nøkler"}' });
  expect(await status(newVerifier(), proof)).toBe(503);
});

test('known keys go on when the key server goes away', async () => {
  const verifier = newVerifier();
  expect(await status(verifier, await token())).toBe(200);
  issuer.respondWith({ status: 500, body: '' });
  expect(await status(verifier, await token({ jti: 'another' }))).toBe(200);
});

test('a verified token is not believed past its expiry', async () => {
  const verifier = newVerifier();
  // Within the leeway now, and out of it a second later.
  const proof = await token({ exp: Math.floor(Date.now() / 1000) - 28 });
  expect(await status(verifier, proof)).toBe(200);
  await new Promise((done) => setTimeout(done, 3_000));
  expect(await status(verifier, proof)).toBe(401);
});

describe('a token that is known already', () => {
  const { now } = Date;
  afterEach(() => {
    Date.now = now;
  });
  const laterBy = (seconds: number): void => {
    Date.now = () => now() + seconds * 1_000;
  };

  test('is found by the whole of its text: with one byte changed it is another, and refused', async () => {
    const verifier = newVerifier();
    const proof = await token();
    expect(await status(verifier, proof)).toBe(200);
    expect(verifier.known(proof)).toMatchObject({ azp: 'app' });
    for (const at of [0, proof.indexOf('.') + 5, proof.lastIndexOf('.') + 5]) {
      const other = `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`;
      expect(verifier.known(other)).toBeUndefined();
      expect(await status(verifier, other)).toBe(401);
    }
    expect(verifier.known(proof.slice(0, -1))).toBeUndefined();
  });

  test('is not known any more once it has expired', async () => {
    const verifier = newVerifier();
    const proof = await token({ exp: Math.floor(Date.now() / 1000) + 20 });
    await verifier.verify(proof);
    expect(verifier.known(proof)).toBeDefined();
    laterBy(21);
    expect(verifier.known(proof)).toBeUndefined();
  });

  test('is believed for a minute at most: one whose key the issuer has withdrawn is refused then', async () => {
    const verifier = newVerifier();
    const proof = await token({ exp: Math.floor(Date.now() / 1000) + 3_600 });
    await verifier.verify(proof);
    laterBy(59);
    expect(verifier.known(proof)).toBeDefined();
    laterBy(61);
    expect(verifier.known(proof)).toBeUndefined();
  });

  test('is not what was refused: that is never known', async () => {
    const verifier = newVerifier();
    const refused = await token({ idtyp: 'user' });
    expect(await status(verifier, refused)).toBe(401);
    expect(verifier.known(refused)).toBeUndefined();
  });
});

describe('two issuers', () => {
  const both = (more: Partial<TokenConfig> = {}): TokenConfig => ({
    ...configOf(),
    MASKINPORTEN_ISSUER: issuer.maskinporten.issuer,
    MASKINPORTEN_JWKS_URI: issuer.maskinporten.jwksUri,
    MASKINPORTEN_AUDIENCE: 'api',
    ...more,
  });

  test.each<[string, () => Partial<TokenConfig>, RegExp]>([
    ['one issuer as both', () => ({ MASKINPORTEN_ISSUER: issuer.issuer }), /MASKINPORTEN_ISSUER is AZURE/],
    ['but for a slash', () => ({ MASKINPORTEN_ISSUER: `${issuer.issuer}/` }), /MASKINPORTEN_ISSUER is AZURE/],
    ['the same keys', () => ({ MASKINPORTEN_JWKS_URI: issuer.jwksUri }), /MASKINPORTEN_JWKS_URI is AZURE/],
    ['http elsewhere', () => ({ MASKINPORTEN_ISSUER: 'http://maskinporten.example.no/' }), /_ISSUER must be https/],
    ['keys over http', () => ({ MASKINPORTEN_JWKS_URI: 'http://maskinporten.example.no/jwk' }), /_URI must be https/],
    ['no audience', () => ({ MASKINPORTEN_AUDIENCE: undefined }), /are set together/],
    ['people over http', () => ({ AZURE_OPENID_CONFIG_ISSUER: 'http://entra.example.no' }), /AZURE\w+_ISSUER must be/],
    ['their keys over http', () => ({ AZURE_OPENID_CONFIG_JWKS_URI: 'http://issuer:8090/jwks' }), /AZURE\w+_URI must/],
    [
      'http where another host was named',
      () => ({ LOKAL_UTSTEDER: 'issuer', MASKINPORTEN_ISSUER: 'http://issuer2:8090/' }),
      /MASKINPORTEN_ISSUER must be https/,
    ],
    [
      'a local issuer beside a real one',
      () => ({ LOKAL_UTSTEDER: 'issuer', MASKINPORTEN_ISSUER: 'https://maskinporten.no/' }),
      /LOKAL_UTSTEDER is for a local stack only, and MASKINPORTEN_ISSUER is https/,
    ],
    [
      'a local issuer beside real keys',
      () => ({ LOKAL_UTSTEDER: 'issuer', AZURE_OPENID_CONFIG_JWKS_URI: 'https://login.example.no/keys' }),
      /LOKAL_UTSTEDER is for a local stack only, and AZURE_OPENID_CONFIG_JWKS_URI is https/,
    ],
    [
      'a local issuer on the platform',
      () => ({ LOKAL_UTSTEDER: 'issuer', NAIS_CLUSTER_NAME: 'prod-gcp' }),
      /LOKAL_UTSTEDER is for a local stack only, and NAIS_CLUSTER_NAME is set/,
    ],
  ])('%s: it does not start', (_, more, said) => {
    expect(() => new TokenVerifier(both(more()))).toThrow(said);
  });

  test('a local stack may name one other host, which has no dot', () => {
    const at = (path: string): string => `http://issuer:8090${path}`;
    const named: Partial<TokenConfig> = {
      ...{ AZURE_OPENID_CONFIG_ISSUER: at(''), AZURE_OPENID_CONFIG_JWKS_URI: at('/jwks') },
      ...{ MASKINPORTEN_ISSUER: at('/maskinporten/'), MASKINPORTEN_JWKS_URI: at('/maskinporten/jwks') },
    };
    expect(() => new TokenVerifier(both(named))).toThrow(/must be https/);
    expect(() => new TokenVerifier(both({ ...named, LOKAL_UTSTEDER: 'issuer' }))).not.toThrow();
    for (const host of ['entra.example.no', '10.0.0.1', '*', 'issuer:8090'])
      expect(() => readEnvironment(localIssuerVariables, { LOKAL_UTSTEDER: host })).toThrow(/LOKAL_UTSTEDER must be/);
  });

  test('what half of the variables are set to is refused when they are read', () => {
    const env = { MASKINPORTEN_ISSUER: 'https://x.no/', MASKINPORTEN_JWKS_URI: 'https://x.no/jwk' };
    expect(() => readEnvironment(maskinportenVariables, env)).toThrow(/MASKINPORTEN_SCOPE is missing/);
  });

  test('a key that Entra ID has changed is no business of the other, and a token is known by its own issuer', async () => {
    const verifier = new TokenVerifier(both());
    const asked = { orgnr: '310100005', scope: 'nav:tiltak/les', audience: 'api' };
    const outside = await issuer.maskinporten.token({ ...asked, clientId: 'k' });
    await issuer.rotateKey({ keepOld: false });
    const [ours, theirs] = await Promise.all([verifier.verify(await token()), verifier.verify(outside)]);
    expect([clientOf(ours), clientOf(theirs)]).toEqual(['app', '0192:310100005/k']);
    expect(verifier.known(outside)).toEqual({
      ...{ issuedBy: 'maskinporten', exp: expect.any(Number), clientId: 'k' },
      ...{ consumer: '310100005', supplier: undefined, scopes: ['nav:tiltak/les'] },
    });
  });
});
