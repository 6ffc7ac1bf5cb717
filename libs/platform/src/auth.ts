import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { logg } from './logg.ts';
import { fellesFeil, Problem } from './problem.ts';

/** What a verified machine token says. */
export interface Token extends JWTPayload {
  /** client id of the application that asks */
  azp: string;
  /** seconds since 1970 */
  exp: number;
}

const HUSKES_MS = 60_000;
const FRISKES_OPP_MS = 10 * 60_000;
const NYTT_FORSOEK_MS = 30_000;
const NOEKLER_GJELDER_MS = 24 * 60 * 60_000;

/** Verifies Entra ID machine tokens. */
export class TokenVerifiserer {
  private readonly noekler: ReturnType<typeof createRemoteJWKSet>;
  /** By the token's SHA-256. RS256 would cost more than the look-up itself, so a token is verified once a minute. */
  private readonly verifiserte = new LRUCache<string, { token: Token; til: number }>({ max: 1_000 });
  private friskesOpp = Date.now() + FRISKES_OPP_MS;
  private klagesIgjen = 0;

  constructor(private readonly valg: { issuer: string; audience: string; jwksUri: string }) {
    this.noekler = createRemoteJWKSet(new URL(valg.jwksUri), {
      timeoutDuration: 3_000,
      // Between two fetches for keys that nobody knows.
      cooldownDuration: 5_000,
      cacheMaxAge: NOEKLER_GJELDER_MS,
    });
  }

  /** @throws Problem 401 for a token that isn't valid here, 503 when the issuer's keys can't be had */
  async verifiser(token: string): Promise<Token> {
    const avtrykk = createHash('sha256').update(token).digest('base64');
    const kjent = this.verifiserte.get(avtrykk);
    if (kjent && Date.now() < kjent.til) return kjent.token;
    const lest = await this.les(token);
    this.verifiserte.set(avtrykk, { token: lest, til: Math.min(Date.now() + HUSKES_MS, lest.exp * 1000) });
    return lest;
  }

  private async les(token: string): Promise<Token> {
    this.friskOppNoekler();
    try {
      const { issuer, audience } = this.valg;
      const { payload } = await jwtVerify(token, this.noekler, {
        issuer,
        audience,
        algorithms: ['RS256'],
        clockTolerance: 30,
        requiredClaims: ['exp', 'azp'],
      });
      if (payload['idtyp'] !== 'app') throw ugyldig('The token is not a machine token (idtyp app)');
      if (typeof payload['azp'] !== 'string') throw ugyldig('The token has no azp');
      return payload as Token;
    } catch (feil) {
      if (feil instanceof Problem) throw feil;
      throw forklar(feil) ?? this.utenNoekler(feil);
    }
  }

  /** Keys that the issuer has withdrawn must go. In the background: while it does not answer, those known go on. */
  private friskOppNoekler(): void {
    if (Date.now() < this.friskesOpp) return;
    this.friskesOpp = Date.now() + FRISKES_OPP_MS;
    this.noekler.reload().catch((feil: unknown) => {
      this.friskesOpp = Date.now() + NYTT_FORSOEK_MS;
      this.klag(feil);
    });
  }

  /** Neither allowed nor the fault of the caller. */
  private utenNoekler(feil: unknown): Problem {
    this.klag(feil);
    return new Problem(fellesFeil.UTILGJENGELIG, "The token can't be verified now: the issuer's keys can't be had", {
      retryAfter: 5,
      cause: feil,
    });
  }

  /** Once in a while, and not for each request that meets it. */
  private klag(feil: unknown): void {
    if (Date.now() < this.klagesIgjen) return;
    this.klagesIgjen = Date.now() + 5_000;
    logg.error({ err: feil }, "The token issuer's keys (AZURE_OPENID_CONFIG_JWKS_URI) could not be fetched");
  }
}

/** What is wrong with the token; undefined when nothing is known to be, but the issuer could not be asked. */
function forklar(feil: unknown): Problem | undefined {
  if (!(feil instanceof errors.JOSEError)) return undefined;
  if (feil instanceof errors.JWTExpired) return ugyldig('The token has expired');
  if (feil instanceof errors.JWTClaimValidationFailed) {
    return ugyldig(`The claim ${feil.claim} of the token is not valid here`);
  }
  if (feil instanceof errors.JWKSNoMatchingKey) {
    return ugyldig('The token is signed with a key that the issuer does not have');
  }
  const erFraUtsteder =
    feil instanceof errors.JWKSTimeout || feil instanceof errors.JWKSInvalid || feil.code === 'ERR_JOSE_GENERIC';
  return erFraUtsteder ? undefined : ugyldig('The token is not valid');
}

function ugyldig(detail: string): Problem {
  return new Problem(fellesFeil.UGYLDIG_TOKEN, detail);
}
