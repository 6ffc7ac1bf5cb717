import { errors, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { IssuerKeys } from './issuer-keys.ts';
import { logger } from './logger.ts';
import { PROBLEMS, Problem } from './problem.ts';

/** What a verified token says, of an application or of a person who has logged in to one. */
export interface Token extends JWTPayload {
  /** client id of the application that asks */
  azp: string;
  /** seconds since 1970 */
  exp: number;
}

/** What an application needs to call this one at all; Entra ID gives it by the access policy of the platform. */
const APPLICATION_ROLE = 'access_as_application';

export const isMachine = (token: Token): boolean => token['idtyp'] === 'app';

export const hasAppRole = ({ roles }: Token, role: string = APPLICATION_ROLE): boolean =>
  Array.isArray(roles) && roles.includes(role);

/** @throws Problem 403 */
export function requireAppRole(token: Token): void {
  if (!hasAppRole(token)) {
    throw new Problem(PROBLEMS.IKKE_TILGANG, `The token lacks the app role ${APPLICATION_ROLE} (claim roles)`);
  }
}

/** Of the person who has logged in; undefined for a machine, and for a person who isn't employed at Nav. */
export function navIdentOf(token: Token): string | undefined {
  const ident = isMachine(token) ? undefined : token['NAVident'];
  return typeof ident === 'string' && /^[A-Z]\d{6}$/.test(ident) ? ident : undefined;
}

const CACHE_MS = 60_000;
const REFRESH_MS = 10 * 60_000;
const RETRY_MS = 30_000;

interface VerifierOptions {
  issuer: string;
  audience: string;
  jwksUri: string;
  /** Tokens of persons are valid too; who may do what is then told apart for each operation. */
  takesPersons?: boolean | undefined;
}

/** Verifies Entra ID tokens: of machines, and of persons where they are taken. */
export class TokenVerifier {
  private readonly keys: IssuerKeys;
  /**
   * By the token's whole text, and only what was verified: one byte more or less is another token. RS256 would cost more
   * than the look-up itself, so a token is verified once a minute.
   */
  private readonly verified = new LRUCache<string, { token: Token; until: number }>({ max: 1_000 });
  private refreshAfter = Date.now() + REFRESH_MS;
  private complainAfter = 0;

  constructor(private readonly options: VerifierOptions) {
    this.keys = new IssuerKeys(options.jwksUri);
  }

  /** What a token says that was verified within the minute, and has not expired since. */
  known(token: string): Token | undefined {
    const known = this.verified.get(token);
    return known && Date.now() < known.until ? known.token : undefined;
  }

  /** @throws Problem 401 for a token that isn't valid here, 503 when the issuer's keys can't be had */
  async verify(token: string): Promise<Token> {
    const known = this.known(token);
    if (known) return known;
    const decoded = await this.decode(token);
    this.verified.set(token, { token: decoded, until: Math.min(Date.now() + CACHE_MS, decoded.exp * 1000) });
    return decoded;
  }

  private async decode(token: string): Promise<Token> {
    this.refreshKeys();
    try {
      const { issuer, audience, takesPersons } = this.options;
      const payload = await this.keys.verify(token, {
        issuer,
        audience,
        algorithms: ['RS256'],
        clockTolerance: 30,
        requiredClaims: ['exp', 'azp'],
      });
      if (typeof payload['azp'] !== 'string') throw invalid('The token has no azp');
      const verified = payload as Token;
      if (!takesPersons && !isMachine(verified)) throw invalid('The token is not a machine token (idtyp app)');
      return verified;
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw explain(error) ?? this.withoutKeys(error);
    }
  }

  /** Keys that the issuer has withdrawn must go. In the background: while it does not answer, those known go on. */
  private refreshKeys(): void {
    if (Date.now() < this.refreshAfter) return;
    this.refreshAfter = Date.now() + REFRESH_MS;
    this.keys.reload().catch((error: unknown) => {
      this.refreshAfter = Date.now() + RETRY_MS;
      this.complain(error);
    });
  }

  /** Neither allowed nor the fault of the caller. */
  private withoutKeys(error: unknown): Problem {
    this.complain(error);
    return new Problem(PROBLEMS.UTILGJENGELIG, "The token can't be verified now: the issuer's keys can't be had", {
      retryAfter: 5,
      cause: error,
    });
  }

  /** Once in a while, and not for each request that meets it. */
  private complain(error: unknown): void {
    if (Date.now() < this.complainAfter) return;
    this.complainAfter = Date.now() + 5_000;
    logger.error({ err: error }, "The token issuer's keys (AZURE_OPENID_CONFIG_JWKS_URI) could not be fetched");
  }
}

/** What is wrong with the token; undefined when nothing is known to be, but the issuer could not be asked. */
function explain(error: unknown): Problem | undefined {
  if (!(error instanceof errors.JOSEError)) return undefined;
  if (error instanceof errors.JWTExpired) return invalid('The token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(`The claim ${error.claim} of the token is not valid here`);
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return invalid('The token is signed with a key that the issuer does not have');
  }
  const isFromIssuer =
    error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === 'ERR_JOSE_GENERIC';
  return isFromIssuer ? undefined : invalid('The token is not valid');
}

function invalid(detail: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_TOKEN, detail);
}
