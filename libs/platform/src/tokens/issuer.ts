import { errors, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { logger } from '../logger.ts';
import { PROBLEMS, Problem } from '../problem.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { invalidClaim, invalidToken } from './refused.ts';
import type { Token } from './token.ts';

const CACHE_MS = 60_000;
const REFRESH_MS = 10 * 60_000;
const RETRY_MS = 30_000;
const LEEWAY_S = 30;

export interface IssuerOptions {
  /** exactly as its tokens name it, in `iss` */
  issuer: string;
  audience: string;
  jwksUri: string;
  /** the variable that names where its keys are */
  variable: string;
  requiredClaims: string[];
  /** after which a token is not taken any more, however long it says that it is valid, s */
  maxAge?: number;
  /** @throws Problem 401 */
  read: (payload: JWTPayload) => Token;
}

/**
 * One issuer: its keys, what was verified with them, and how its tokens are read. It shares nothing with another, so that
 * what befalls one of them, or is thrown at it, is not noticed by those who come with a token of the other.
 */
export class Issuer {
  readonly name: string;
  private readonly keys: IssuerKeys;
  /**
   * By the token's whole text, and only what was verified: one byte more or less is another token. RS256 would cost more
   * than the look-up itself, so a token is verified once a minute.
   */
  private readonly verified = new LRUCache<string, { token: Token; until: number }>({ max: 1_000 });
  private refreshAfter = Date.now() + REFRESH_MS;
  private complainAfter = 0;

  constructor(private readonly options: IssuerOptions) {
    this.name = options.issuer;
    this.keys = new IssuerKeys(options.jwksUri);
  }

  /** What a token says that was verified within the minute, and has not expired since. */
  known(token: string): Token | undefined {
    const known = this.verified.get(token);
    return known && Date.now() < known.until ? known.token : undefined;
  }

  /** @throws Problem 401 for a token that isn't valid here, 503 when the issuer's keys can't be had */
  async verify(token: string): Promise<Token> {
    const decoded = await this.decode(token);
    this.verified.set(token, { token: decoded, until: Math.min(Date.now() + CACHE_MS, decoded.exp * 1000) });
    return decoded;
  }

  private async decode(token: string): Promise<Token> {
    this.refreshKeys();
    try {
      const { issuer, audience, requiredClaims, maxAge, read } = this.options;
      const payload = await this.keys.verify(token, {
        issuer,
        audience,
        algorithms: ['RS256'],
        clockTolerance: LEEWAY_S,
        requiredClaims,
        ...(maxAge === undefined ? {} : { maxTokenAge: maxAge }),
      });
      return read(payload);
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
    logger.error({ err: error }, `The token issuer's keys (${this.options.variable}) could not be fetched`);
  }
}

/** What is wrong with the token; undefined when nothing is known to be, but the issuer could not be asked. */
function explain(error: unknown): Problem | undefined {
  if (!(error instanceof errors.JOSEError)) return undefined;
  if (error instanceof errors.JWTExpired) return invalidToken('The token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) return invalidClaim(error.claim);
  if (error instanceof errors.JWKSNoMatchingKey) {
    return invalidToken('The token is signed with a key that the issuer does not have');
  }
  const isFromIssuer =
    error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === 'ERR_JOSE_GENERIC';
  return isFromIssuer ? undefined : invalidToken('The token is not valid');
}
