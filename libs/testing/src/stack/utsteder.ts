import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { OAuth2Issuer } from 'oauth2-mock-server';

type Claims = Record<string, unknown>;

export interface LokalUtsteder {
  issuer: string;
  jwksUri: string;
  /** A token as Entra ID gives a machine. `claims` replace or, when undefined, remove; `varighet` in seconds. */
  token: (valg: { azp: string; audience?: string; claims?: Claims; varighet?: number }) => Promise<string>;
  /** Signs with a new key from now on. The old one stays published, unless it is dropped. */
  roterNoekkel: (valg?: { beholdGammel?: boolean }) => Promise<void>;
  /** Whether it answers 503 to everything, as when it is down. */
  settBorte: (borte: boolean) => void;
  stopp: () => Promise<void>;
}

/**
 * Issues tokens as Entra ID does. `POST /token` with `grant_type=client_credentials`, `client_id` and perhaps `audience`
 * and `rolle`, or `adapter` (an organisation), gives one to whoever asks: for local use only.
 *
 * @param port 0 for any that is free
 * @param audience of tokens that don't ask for another
 */
export async function startUtsteder({ port, audience }: { port: number; audience: string }): Promise<LokalUtsteder> {
  let borte = false;
  let svar: RequestListener = (_req, res) => res.writeHead(503).end();
  const server = createServer((req, res) => (borte ? res.writeHead(503).end() : svar(req, res)));
  await new Promise<void>((klar, feilet) => {
    server.once('error', feilet).listen(port, '127.0.0.1', klar);
  });
  const adresse = server.address();
  const issuer = `http://127.0.0.1:${String(typeof adresse === 'object' && adresse ? adresse.port : port)}`;
  let noekkel = await lagNoekkel(issuer, audience);
  svar = noekkel.svar;
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    token: ({ azp, audience: mottaker = audience, claims = {}, varighet = 3_600 }) =>
      noekkel.utsteder.buildToken({
        kid: noekkel.kid,
        expiresIn: varighet,
        scopesOrTransform: (_header, payload) => {
          Object.assign(payload, claimsFor(azp, mottaker), claims);
          for (const [navn, verdi] of Object.entries(claims)) {
            if (verdi === undefined) Reflect.deleteProperty(payload, navn);
          }
        },
      }),
    roterNoekkel: async ({ beholdGammel = true } = {}) => {
      const gammel = noekkel.utsteder.keys.get(noekkel.kid);
      noekkel = await lagNoekkel(issuer, audience);
      if (beholdGammel && gammel) await noekkel.utsteder.keys.add(gammel);
      svar = noekkel.svar;
    },
    settBorte: (naa) => {
      borte = naa;
    },
    stopp: async () => {
      const stengt = new Promise<void>((ferdig) => server.close(() => ferdig()));
      server.closeAllConnections();
      await stengt;
    },
  };
}

function claimsFor(azp: string, audience: string): Claims {
  return { aud: audience, azp, sub: azp, oid: azp, idtyp: 'app', roles: ['access_as_application'], ver: '2.0' };
}

interface Noekkel {
  kid: string;
  utsteder: OAuth2Issuer;
  svar: RequestListener;
}

async function lagNoekkel(issuer: string, audience: string): Promise<Noekkel> {
  // Not before it is needed: it brings a whole web server, which most suites have no use for.
  const { OAuth2Issuer, OAuth2Service } = await import('oauth2-mock-server');
  const utsteder = new OAuth2Issuer();
  utsteder.url = issuer;
  // Its own ids are so long that they fill half of the token.
  const { kid } = await utsteder.keys.generate('RS256', { kid: randomUUID() });
  const tjeneste = new OAuth2Service(utsteder);
  tjeneste.on('beforeTokenSigning', (token: { payload: Claims }, { body }: { body?: Claims }) => {
    const { client_id: azp, audience: mottaker, rolle, adapter } = body ?? {};
    if (typeof azp !== 'string') return;
    Object.assign(token.payload, claimsFor(azp, typeof mottaker === 'string' ? mottaker : audience));
    if (typeof rolle === 'string') token.payload['roles'] = [rolle];
    if (typeof adapter === 'string') Object.assign(token.payload, { scope: 'tiltak:adapter', organisasjon: adapter });
  });
  return { kid, utsteder, svar: tjeneste.requestHandler };
}
