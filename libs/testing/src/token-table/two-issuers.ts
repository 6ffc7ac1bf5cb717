import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CompactSign,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type CompactJWSHeaderParameters,
  type CryptoKey,
} from 'jose';

/** Who signs: one of the issuers, or somebody else. */
export type Signer = 'entra' | 'maskinporten' | 'stranger';

/** Both have a key of this id, and so has who is neither. */
const KID = 'felles';

export interface TwoIssuers {
  /** as they name themselves; that of Maskinporten ends in a slash, as the real one's does */
  names: Record<'entra' | 'maskinporten', string>;
  /** variables of an app that takes tokens of both */
  env: Record<string, string>;
  /** @param payload claims, or the JSON as it is to stand there */
  sign: (by: Signer, payload: Record<string, unknown> | string, header?: Record<string, unknown>) => Promise<string>;
  /** public key, in PEM */
  publicKey: (of: Signer) => Promise<string>;
  /** What is answered to who asks for the keys of one of them; undefined: the keys. */
  respondWith: (of: Signer, status: number | undefined) => void;
  /** how often the keys of one of them were asked for */
  fetches: (of: Signer) => number;
  stop: () => Promise<void>;
}

/** The audience that apps have at each. */
export const AUDIENCES = { entra: 'tiltak-datadeling', maskinporten: 'https://tiltak-datadeling.example.no' } as const;

/** Two issuers whose keys a test signs with, right and wrong: for tokens that no real issuer would issue. */
export async function startTwoIssuers(): Promise<TwoIssuers> {
  const pairs = { entra: await newPair(), maskinporten: await newPair(), stranger: await newPair() };
  const instead: Partial<Record<string, number>> = {};
  const fetches = { entra: 0, maskinporten: 0, stranger: 0 };
  const server = createServer(({ url = '' }, response) => {
    const [of] = Object.keys(pairs).filter((name) => url === `/${name}/jwks`) as Signer[];
    if (of) fetches[of]++;
    const status = of ? (instead[of] ?? 200) : 404;
    const keys = of && status === 200 ? [pairs[of].jwk] : [];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const own = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const names = { entra: `${own}/entra`, maskinporten: `${own}/maskinporten/` };
  return {
    names,
    env: {
      AZURE_APP_CLIENT_ID: AUDIENCES.entra,
      AZURE_OPENID_CONFIG_ISSUER: names.entra,
      AZURE_OPENID_CONFIG_JWKS_URI: `${own}/entra/jwks`,
      MASKINPORTEN_ISSUER: names.maskinporten,
      MASKINPORTEN_JWKS_URI: `${own}/maskinporten/jwks`,
      MASKINPORTEN_AUDIENCE: AUDIENCES.maskinporten,
    },
    sign: (by, payload, header = {}) =>
      new CompactSign(new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload)))
        .setProtectedHeader({ alg: 'RS256', kid: KID, ...header } as CompactJWSHeaderParameters)
        .sign(pairs[by].privateKey, {
          crit: Object.fromEntries(((header['crit'] ?? []) as string[]).map((name) => [name, true])),
        }),
    publicKey: (of) => exportSPKI(pairs[of].publicKey),
    respondWith: (of, status) => void (instead[of] = status),
    fetches: (of) => fetches[of],
    stop: () => new Promise((done) => server.close(() => done()).closeAllConnections()),
  };
}

async function newPair(): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey; jwk: object }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), use: 'sig', kid: KID } };
}
