import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export const ISSUER = 'https://utsteder.example.no';
export const AUDIENCE = 'denne-tjenesten';

/** An issuer of tokens: its keys over real HTTP, which can be changed and taken away. */
export interface Utsteder {
  jwksUri: string;
  /** how many times its keys were asked for */
  antallHentinger: () => number;
  /** A token as Entra ID gives a machine; claims that are undefined are left out. */
  token: (claims?: Record<string, unknown>) => Promise<string>;
  /** Publishes a new key and drops the old one. */
  roter: () => Promise<void>;
  /** The public key that signs now, as published. */
  noekkel: () => JWK;
  /** What is answered instead of the keys; undefined: the keys again. */
  svarMed: (svar: { status: number; body: string } | undefined) => void;
  stopp: () => Promise<void>;
}

interface Noekkel {
  privat: CryptoKey;
  offentlig: JWK;
}

async function nyNoekkel(kid: string): Promise<Noekkel> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  return { privat: privateKey, offentlig: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}

export function sekunderFraNaa(sekunder: number): number {
  return Math.floor(Date.now() / 1000) + sekunder;
}

export async function startUtsteder(): Promise<Utsteder> {
  let nummer = 0;
  let hentinger = 0;
  let noekkel = await nyNoekkel('noekkel-0');
  let annet: { status: number; body: string } | undefined;
  const server = createServer((_, svar) => {
    hentinger += 1;
    const { status, body } = annet ?? { status: 200, body: JSON.stringify({ keys: [noekkel.offentlig] }) };
    svar.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((klar) => server.listen(0, '127.0.0.1', klar));
  const { port } = server.address() as AddressInfo;
  return {
    jwksUri: `http://127.0.0.1:${String(port)}/jwks`,
    antallHentinger: () => hentinger,
    token: (claims = {}) => {
      const innhold = {
        iss: ISSUER,
        aud: AUDIENCE,
        azp: 'en-klient',
        sub: 's',
        idtyp: 'app',
        exp: sekunderFraNaa(300),
      };
      return new SignJWT({ ...innhold, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: `noekkel-${String(nummer)}` })
        .sign(noekkel.privat);
    },
    roter: async () => {
      nummer += 1;
      noekkel = await nyNoekkel(`noekkel-${String(nummer)}`);
    },
    noekkel: () => noekkel.offentlig,
    svarMed: (svar) => {
      annet = svar;
    },
    stopp: () =>
      new Promise<void>((ferdig) => {
        server.close(() => ferdig());
        server.closeAllConnections();
      }),
  };
}
