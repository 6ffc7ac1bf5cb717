import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { logg } from './logg.ts';
import { fellesFeil, Problem } from './problem.ts';

/** What a verified machine token says. */
export interface Token extends JWTPayload {
  /** client id of the application that asks */
  azp: string;
  exp: number;
}

const BUFFER_MS = 60_000;

/** Verifies Entra ID machine tokens. */
export class TokenVerifiserer {
  private readonly noekler: JWTVerifyGetKey;
  /** RS256 would cost more than the look-up itself; a token is verified again after a minute. */
  private readonly verifiserte = new LRUCache<string, Token>({ max: 1_000 });

  constructor(private readonly valg: { issuer: string; audience: string; jwksUri: string }) {
    this.noekler = createRemoteJWKSet(new URL(valg.jwksUri), { timeoutDuration: 3_000, cooldownDuration: 5_000 });
  }

  /** @throws Problem 401 for a token that isn't valid here, 503 when the issuer's keys can't be had */
  async verifiser(token: string): Promise<Token> {
    const avtrykk = createHash('sha256').update(token).digest('base64');
    const kjent = this.verifiserte.get(avtrykk);
    if (kjent) return kjent;
    const payload = await this.les(token);
    const ttl = Math.min(BUFFER_MS, payload.exp * 1000 - Date.now());
    if (ttl > 0) this.verifiserte.set(avtrykk, payload, { ttl });
    return payload;
  }

  private async les(token: string): Promise<Token> {
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
      throw feil instanceof Problem ? feil : forklar(feil);
    }
  }
}

function forklar(feil: unknown): Problem {
  if (feil instanceof errors.JWTExpired) return ugyldig('The token has expired');
  if (feil instanceof errors.JWTClaimValidationFailed)
    return ugyldig(`The claim ${feil.claim} of the token is not valid here`);
  if (feil instanceof errors.JWKSNoMatchingKey)
    return ugyldig('The token is signed with a key that the issuer does not have');
  // A key set that times out or can't be read is the issuer's trouble, not the caller's.
  const erFraUtsteder = feil instanceof errors.JWKSTimeout || feil instanceof errors.JWKSInvalid;
  if (feil instanceof errors.JOSEError && !erFraUtsteder && feil.code !== 'ERR_JOSE_GENERIC') {
    return ugyldig('The token is not valid');
  }
  logg.error({ err: feil }, "The token issuer's keys (AZURE_OPENID_CONFIG_JWKS_URI) could not be fetched");
  return new Problem(fellesFeil.UTILGJENGELIG, "The token can't be verified now: the issuer's keys can't be had", {
    retryAfter: 5,
    cause: feil,
  });
}

function ugyldig(detail: string): Problem {
  return new Problem(fellesFeil.UGYLDIG_TOKEN, detail);
}
