import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** A client id that its tokens are for. */
export const AUDIENCE = 'tiltak-datadeling-sandkasse';

/** In 2100, and from ever: they hold whatever the clock is set to. */
const EXPIRES = 4_102_444_800;

/** Gives tokens as Entra ID gives machines, to whoever asks. */
export class SandboxIssuer {
  private constructor(
    private readonly url: string,
    private readonly key: CryptoKey,
    private readonly publicKey: JWK,
  ) {}

  /** @param url what its tokens say that they are from */
  static async create(url: string): Promise<SandboxIssuer> {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const jwk = await exportJWK(publicKey);
    const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('hex').slice(0, 16);
    return new SandboxIssuer(url, privateKey, { ...jwk, kid, alg: 'RS256', use: 'sig' });
  }

  get keys(): { keys: JWK[] } {
    return { keys: [this.publicKey] };
  }

  /** @param azp the client id of a consumer */
  token(azp: string): Promise<string> {
    const claims = { azp, sub: azp, oid: azp, idtyp: 'app', roles: ['access_as_application'], ver: '2.0' };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: this.publicKey.kid ?? '', typ: 'JWT' })
      .setIssuer(this.url)
      .setAudience(AUDIENCE)
      .setExpirationTime(EXPIRES)
      .sign(this.key);
  }
}
