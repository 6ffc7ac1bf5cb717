import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyOptions,
} from 'jose';

/** Between two fetches for keys that nobody knows. */
const COOL_DOWN_MS = 5_000;
/** After a fetch that failed: a key server that is away is not asked by each request. */
const RETRY_MS = 1_000;
const TIMEOUT_MS = 3_000;
const KEYS_VALID_MS = 24 * 60 * 60_000;

/**
 * The keys of an issuer, and what is signed with one of them. Several that could be the one are tried in turn: keys need
 * not have an id, and nothing keeps an issuer from giving two the same.
 */
export class IssuerKeys {
  private readonly remote: ReturnType<typeof createRemoteJWKSet>;
  private failed: { error: unknown; until: number } | undefined;

  constructor(jwksUri: string) {
    this.remote = createRemoteJWKSet(new URL(jwksUri), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOL_DOWN_MS,
      cacheMaxAge: KEYS_VALID_MS,
      [customFetch]: (url, init) => this.fetch(url, init),
    });
  }

  reload(): Promise<void> {
    return this.remote.reload();
  }

  /** @throws JOSEError, or what the fetch of the keys threw */
  async verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    try {
      return await this.verifyWithKnown(token, options);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed) || this.remote.coolingDown) throw error;
      // An id that a new key has too, or none: only the signature tells that the key is not known yet.
      await this.remote.reload().catch(() => undefined);
      return this.verifyWithKnown(token, options);
    }
  }

  private async verifyWithKnown(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, this.remote, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(token, error, options);
      if (error instanceof errors.JWKSNoMatchingKey) return this.verifyWithoutId(token, options, error);
      throw error;
    }
  }

  /** With the keys that have no id, whatever id the token names. */
  private async verifyWithoutId(token: string, options: JWTVerifyOptions, unknown: Error): Promise<JWTPayload> {
    const keys = this.remote.jwks()?.keys.filter(({ kid }) => kid === undefined) ?? [];
    if (keys.length === 0) throw unknown;
    const find = createLocalJWKSet({ keys });
    try {
      return (await jwtVerify(token, ({ alg }) => find({ alg }), options)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(token, error, options);
      throw error;
    }
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    if (this.failed && Date.now() < this.failed.until) throw this.failed.error;
    try {
      const response = await fetch(url, init);
      // Told by status too: the library takes 200 only.
      this.failed = response.ok
        ? undefined
        : failedWith(new errors.JOSEError(`The key server answered ${String(response.status)}`));
      return response;
    } catch (error) {
      this.failed = failedWith(error);
      throw error;
    }
  }
}

const failedWith = (error: unknown): { error: unknown; until: number } => ({ error, until: Date.now() + RETRY_MS });

async function verifyWithAny(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}
