import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { OAuth2Issuer } from 'oauth2-mock-server';
import { syntheticNavIdent } from './idents.ts';

type Claims = Record<string, unknown>;

export interface TokenIssuer {
  issuer: string;
  /** where this machine asks it */
  address: string;
  jwksUri: string;
  /** A token as Entra ID gives a machine. `claims` replace or, when undefined, remove; `duration` in seconds. */
  token: (options: { azp: string; audience?: string; claims?: Claims; duration?: number }) => Promise<string>;
  /** The second issuer: at the same address, with a name, keys and tokens of its own. */
  maskinporten: { issuer: string; jwksUri: string; token: (options: MaskinportenOptions) => Promise<string> };
  /** Signs with a new key from now on. The old one stays published, unless it is dropped. */
  rotateKey: (options?: { keepOld?: boolean }) => Promise<void>;
  /** What it answers to everything, as when it is down or something stands in its way; undefined: as itself again. */
  respondWith: (instead: { status: number; body: string } | undefined) => void;
  stop: () => Promise<void>;
}

/** What a token of Maskinporten is asked for with; organisation numbers are of nine digits. */
export interface MaskinportenOptions {
  orgnr: string;
  scope: string;
  audience: string;
  /** organisation number of the supplier that asks, when `orgnr` has delegated that */
  leverandoer?: string | undefined;
  clientId?: string | undefined;
}

export const ON_DUTY_NAV_IDENT = syntheticNavIdent(1);

/** Claims that make the token of a machine that of a person who is on duty and has logged in. */
export const onDuty = (navIdent = ON_DUTY_NAV_IDENT): Claims => ({
  idtyp: undefined,
  roles: ['drift'],
  scp: 'defaultaccess',
  NAVident: navIdent,
  preferred_username: 'vakt@nav.example',
});

/**
 * Issues tokens as Entra ID does. `POST /token` with `grant_type=client_credentials`, `client_id` and perhaps `audience`
 * and `adapter` (an organisation) or `nav_ident` (somebody on duty, who on the platform has logged in in a browser; with
 * another `rolle` than `drift`, such as `revisor`, somebody else) gives one to whoever asks: for local use only. `POST /maskinporten/token` with `orgnr`, `scope`, `audience` and perhaps
 * `leverandoer` and `client_id` gives one as Maskinporten gives another organisation, with the keys at `/maskinporten/jwks`.
 *
 * @param port 0 for any that is free
 * @param audience of tokens that don't ask for another
 * @param host what it listens on; from elsewhere than this machine only when told
 * @param url what its tokens name as their issuer, whatever address it is asked at; the first of this machine's unless told
 */
export async function startTokenIssuer({
  port,
  audience,
  host = '127.0.0.1',
  url,
}: {
  port: number;
  audience: string;
  host?: string;
  url?: string;
}): Promise<TokenIssuer> {
  let respond: RequestListener = (_, response) => response.writeHead(503).end();
  let instead: RequestListener | undefined;
  const server = createServer((request, response) => (instead ?? respond)(request, response));
  await new Promise<void>((ready, failed) => {
    server.once('error', failed).listen(port, host, ready);
  });
  const address = server.address();
  const own = `http://127.0.0.1:${String(typeof address === 'object' && address ? address.port : port)}`;
  const issuer = url ?? own;
  let key = await createKey(issuer, (body) => entraClaims(body, audience));
  const outside = new OutsideIssuer(`${issuer}${OUTSIDE}/`);
  respond = outside.before(key.respond);
  return {
    issuer,
    address: own,
    jwksUri: `${issuer}/jwks`,
    token: ({ azp, audience: receiver = audience, claims = {}, duration = 3_600 }) =>
      key.server.buildToken({
        kid: key.kid,
        expiresIn: duration,
        scopesOrTransform: (_header, payload) => {
          setClaims(payload, { ...claimsFor(azp, receiver), ...claims });
        },
      }),
    maskinporten: outside,
    rotateKey: async ({ keepOld = true } = {}) => {
      const old = key.server.keys.get(key.kid);
      key = await createKey(issuer, (body) => entraClaims(body, audience));
      if (keepOld && old) await key.server.keys.add(old);
      respond = outside.before(key.respond);
    },
    respondWith: (given) => {
      instead =
        given &&
        ((_, response) => response.writeHead(given.status, { 'content-type': 'application/json' }).end(given.body));
    },
    stop: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** As Maskinporten, whose name ends in a slash. Most who start this ask it for nothing: its key is made when it is wanted. */
class OutsideIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  private key: Promise<Key> | undefined;

  constructor(issuer: string) {
    this.issuer = issuer;
    this.jwksUri = `${issuer}jwks`;
  }

  async token(options: MaskinportenOptions): Promise<string> {
    const { server, kid } = await this.ownKey();
    return server.buildToken({
      kid,
      expiresIn: MASKINPORTEN_SECONDS,
      scopesOrTransform: (_header, payload) => setClaims(payload, claimsOfMaskinporten(options)),
    });
  }

  /** Answers what is asked below its own path, and leaves all else to the other. */
  before(other: RequestListener): RequestListener {
    return (request, response) => {
      if (request.url?.startsWith(`${OUTSIDE}/`) !== true) return other(request, response);
      request.url = request.url.slice(OUTSIDE.length);
      void this.ownKey().then(({ respond }) => respond(request, response));
    };
  }

  private ownKey(): Promise<Key> {
    return (this.key ??= createKey(this.issuer, maskinportenClaims));
  }
}

function claimsFor(azp: string, audience: string): Claims {
  return { aud: audience, azp, sub: azp, oid: azp, idtyp: 'app', roles: ['access_as_application'], ver: '2.0' };
}

/** Of what a token is asked for with. */
function entraClaims(body: Claims, audience: string): Claims {
  const { client_id: azp, audience: receiver, nav_ident: navIdent, rolle: role, adapter } = body;
  if (typeof azp !== 'string') return {};
  return {
    ...claimsFor(azp, typeof receiver === 'string' ? receiver : audience),
    ...(typeof navIdent === 'string' ? onDuty(navIdent) : {}),
    ...(typeof navIdent === 'string' && typeof role === 'string' ? { roles: [role] } : {}),
    ...(typeof adapter === 'string' ? { scope: 'tiltak:adapter', organisasjon: adapter } : {}),
  };
}

/** Where the second issuer is, but for its last slash. */
const OUTSIDE = '/maskinporten';
const MASKINPORTEN_SECONDS = 120;

function maskinportenClaims(body: Claims): Claims {
  const { orgnr, scope, audience, leverandoer, client_id: clientId } = body as Record<string, string | undefined>;
  if (orgnr === undefined || scope === undefined || audience === undefined) return {};
  return {
    ...claimsOfMaskinporten({ orgnr, scope, audience, leverandoer, clientId }),
    exp: now() + MASKINPORTEN_SECONDS,
  };
}

function claimsOfMaskinporten({
  orgnr,
  scope,
  audience,
  leverandoer: supplier,
  clientId,
}: MaskinportenOptions): Claims {
  const actor = (number: string): Claims => ({ authority: 'iso6523-actorid-upis', ID: `0192:${number}` });
  return {
    ...{ aud: audience, scope, client_id: clientId ?? `klient-${supplier ?? orgnr}`, client_amr: 'private_key_jwt' },
    ...{ token_type: 'Bearer', jti: randomUUID(), consumer: actor(orgnr), iat: now(), nbf: undefined },
    ...(supplier === undefined ? {} : { supplier: actor(supplier), delegation_source: 'https://www.altinn.no/' }),
  };
}

const now = (): number => Math.floor(Date.now() / 1_000);

/** Those that are undefined are removed. */
function setClaims(payload: Claims, claims: Claims): void {
  Object.assign(payload, claims);
  for (const [name, value] of Object.entries(claims)) {
    if (value === undefined) Reflect.deleteProperty(payload, name);
  }
}

interface Key {
  kid: string;
  server: OAuth2Issuer;
  respond: RequestListener;
}

/** @param claimsOf of what a token is asked for with over HTTP */
async function createKey(issuer: string, claimsOf: (body: Claims) => Claims): Promise<Key> {
  // Not before it is needed: it brings a whole web server, which most suites have no use for.
  const { OAuth2Issuer, OAuth2Service } = await import('oauth2-mock-server');
  const server = new OAuth2Issuer();
  server.url = issuer;
  // Its own ids are so long that they fill half of the token.
  const { kid } = await server.keys.generate('RS256', { kid: randomUUID() });
  const service = new OAuth2Service(server);
  service.on('beforeTokenSigning', (token: { payload: Claims }, { body }: { body?: Claims }) => {
    // By itself it would be named after whatever address it was asked at.
    setClaims(token.payload, { ...claimsOf(body ?? {}), iss: issuer });
  });
  return { kid, server, respond: service.requestHandler };
}
