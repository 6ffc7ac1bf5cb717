import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export const ISSUER = 'https://utsteder.example.no';
export const AUDIENCE = 'denne-tjenesten';

/** An issuer of tokens: its keys over real HTTP, which can be changed and taken away. */
export interface TokenIssuer {
  jwksUri: string;
  /** how many times its keys were asked for */
  fetchCount: () => number;
  /** A token as Entra ID gives a machine; claims that are undefined are left out. */
  token: (claims?: Record<string, unknown>) => Promise<string>;
  /** Publishes a new key and drops the old one. */
  rotate: () => Promise<void>;
  /** The public key that signs now, as published. */
  key: () => JWK;
  /** What is answered instead of the keys; undefined: the keys again. */
  respondWith: (response: { status: number; body: string } | undefined) => void;
  stop: () => Promise<void>;
}

interface Key {
  privat: CryptoKey;
  public: JWK;
}

async function newKey(kid: string): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  return { privat: privateKey, public: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

export async function startIssuer(): Promise<TokenIssuer> {
  let nummer = 0;
  let fetches = 0;
  let key = await newKey('noekkel-0');
  let other: { status: number; body: string } | undefined;
  const server = createServer((_, response) => {
    fetches += 1;
    const { status, body } = other ?? { status: 200, body: JSON.stringify({ keys: [key.public] }) };
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    jwksUri: `http://127.0.0.1:${String(port)}/jwks`,
    fetchCount: () => fetches,
    token: (claims = {}) => {
      const content = {
        iss: ISSUER,
        aud: AUDIENCE,
        azp: 'en-klient',
        sub: 's',
        idtyp: 'app',
        exp: secondsFromNow(300),
      };
      return new SignJWT({ ...content, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: `noekkel-${String(nummer)}` })
        .sign(key.privat);
    },
    rotate: async () => {
      nummer += 1;
      key = await newKey(`noekkel-${String(nummer)}`);
    },
    key: () => key.public,
    respondWith: (response) => {
      other = response;
    },
    stop: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
