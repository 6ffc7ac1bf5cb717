import { decodeJwt } from 'jose';
import type { ConfigOf, entraVariables, localIssuerVariables, maskinportenVariables } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import { ENTRA_CLAIMS, readEntraToken } from './entra.ts';
import { Issuer } from './issuer.ts';
import { MASKINPORTEN_CLAIMS, MAX_LIFETIME_S, readMaskinportenToken } from './maskinporten.ts';
import { invalidClaim, invalidToken } from './refused.ts';
import type { Token } from './token.ts';

export type TokenConfig = ConfigOf<typeof entraVariables> &
  Partial<ConfigOf<typeof maskinportenVariables> & ConfigOf<typeof localIssuerVariables>>;

/**
 * Verifies tokens, each by the one issuer that it names and no other, which reads its own claims only: a role in a token of
 * Maskinporten, or an organisation in one of Entra ID, is nothing.
 */
export class TokenVerifier {
  private readonly issuers: readonly Issuer[];

  /**
   * @param takesPersons tokens of persons are valid too; who may do what is then told apart for each operation
   * @throws StartupError when the two could be taken for each other, or either's keys for those of somebody else
   */
  constructor(config: TokenConfig, { takesPersons = false }: { takesPersons?: boolean | undefined } = {}) {
    requireHttps(config);
    const entra = new Issuer({
      issuer: config.AZURE_OPENID_CONFIG_ISSUER,
      audience: config.AZURE_APP_CLIENT_ID,
      jwksUri: config.AZURE_OPENID_CONFIG_JWKS_URI,
      variable: 'AZURE_OPENID_CONFIG_JWKS_URI',
      requiredClaims: ENTRA_CLAIMS,
      read: (payload) => readEntraToken(payload, { takesPersons }),
    });
    const maskinporten = maskinportenFrom(config);
    this.issuers = maskinporten ? [entra, maskinporten] : [entra];
  }

  /** What a token says that was verified within the minute, and has not expired since. */
  known(token: string): Token | undefined {
    for (const issuer of this.issuers) {
      const known = issuer.known(token);
      if (known) return known;
    }
    return undefined;
  }

  /** @throws Problem 401 for a token that isn't valid here, 503 when its issuer's keys can't be had */
  async verify(token: string): Promise<Token> {
    return this.known(token) ?? this.issuerOf(token).verify(token);
  }

  /** Of whom it says that it is; that it is so, the issuer's own keys must tell. @throws Problem 401 */
  private issuerOf(token: string): Issuer {
    const named = namedIssuer(token);
    const issuer = this.issuers.find(({ name }) => name === named);
    if (!issuer) throw invalidClaim('iss');
    return issuer;
  }
}

/** @throws Problem 401 */
function namedIssuer(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw invalidToken('The token is not valid');
  }
}

/** Undefined where it is not set up: then there is only Entra ID. @throws StartupError */
function maskinportenFrom(config: TokenConfig): Issuer | undefined {
  const { MASKINPORTEN_ISSUER: issuer, MASKINPORTEN_JWKS_URI: jwksUri, MASKINPORTEN_AUDIENCE: audience } = config;
  if (issuer === undefined && jwksUri === undefined && audience === undefined) return undefined;
  if (issuer === undefined || jwksUri === undefined || audience === undefined)
    throw new StartupError('MASKINPORTEN_ISSUER, MASKINPORTEN_JWKS_URI and MASKINPORTEN_AUDIENCE are set together');
  requireApart(config, { issuer, jwksUri });
  return new Issuer({
    issuer,
    audience,
    jwksUri,
    variable: 'MASKINPORTEN_JWKS_URI',
    requiredClaims: MASKINPORTEN_CLAIMS,
    maxAge: MAX_LIFETIME_S,
    read: readMaskinportenToken,
  });
}

/** @throws StartupError when both are one */
function requireApart(config: TokenConfig, { issuer, jwksUri }: { issuer: string; jwksUri: string }): void {
  if (withoutSlash(issuer) === withoutSlash(config.AZURE_OPENID_CONFIG_ISSUER))
    throw new StartupError('MASKINPORTEN_ISSUER is AZURE_OPENID_CONFIG_ISSUER: one issuer is of one kind');
  if (new URL(jwksUri).href === new URL(config.AZURE_OPENID_CONFIG_JWKS_URI).href)
    throw new StartupError('MASKINPORTEN_JWKS_URI is AZURE_OPENID_CONFIG_JWKS_URI: each issuer has keys of its own');
}

const ADDRESSES = [
  'AZURE_OPENID_CONFIG_ISSUER',
  'AZURE_OPENID_CONFIG_JWKS_URI',
  'MASKINPORTEN_ISSUER',
  'MASKINPORTEN_JWKS_URI',
] as const;

/**
 * Keys that come over http are those of whoever is on the way. They may on this machine, and from the one host that a local
 * stack names; where anything is of a real issuer, nothing may be named.
 *
 * @throws StartupError
 */
function requireHttps(config: TokenConfig): void {
  const { LOKAL_UTSTEDER: localIssuer, NAIS_CLUSTER_NAME: cluster } = config;
  const local = localIssuer === undefined ? THIS_MACHINE : [...THIS_MACHINE, localIssuer];
  if (localIssuer !== undefined && cluster !== undefined)
    throw new StartupError('LOKAL_UTSTEDER is for a local stack only, and NAIS_CLUSTER_NAME is set');
  for (const name of ADDRESSES) {
    const address = config[name];
    if (address === undefined) continue;
    const { protocol, hostname } = new URL(address);
    if (protocol === 'https:') {
      if (localIssuer !== undefined)
        throw new StartupError(`LOKAL_UTSTEDER is for a local stack only, and ${name} is https`);
    } else if (!local.includes(hostname)) {
      throw new StartupError(`${name} must be https, on any other machine than this one`);
    }
  }
}

const THIS_MACHINE: readonly string[] = ['127.0.0.1', 'localhost'];

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
