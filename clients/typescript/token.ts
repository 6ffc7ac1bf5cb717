/**
 * Gives a machine token for the service, the same until it is about to expire.
 *
 * @param refused a token that the service has just refused: another is wanted
 */
export type TokenProvider = (refused?: string) => Promise<string> | string;

export interface ClientCredentialsOptions {
  /** of the service, for instance `api://<cluster>.<namespace>.<app>/.default` */
  scope: string;
  /** of the issuer; `AZURE_OPENID_CONFIG_TOKEN_ENDPOINT` of Nais unless told otherwise */
  tokenEndpoint?: string;
  /** `AZURE_APP_CLIENT_ID` of Nais unless told otherwise */
  clientId?: string;
  /** `AZURE_APP_CLIENT_SECRET` of Nais unless told otherwise */
  clientSecret?: string;
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** So long before it expires a token is replaced: it must still be valid when it arrives. */
const MARGIN_MS = 60_000;
const TIMEOUT_MS = 10_000;
/** How long a token serves on after the issuer could not give another. */
const NEXT_TRY_MS = 10_000;

/** The issuer did not give a token. */
export class TokenError extends Error {
  /** it is not the request: the issuer may give one later */
  readonly mayPass: boolean;

  constructor(what: string, { mayPass, ...options }: { mayPass: boolean } & ErrorOptions) {
    super(`No token: ${what}`, options);
    this.mayPass = mayPass;
  }
}

interface Kept {
  token: string;
  until: number;
  expires: number;
}

/**
 * OAuth 2.0 client credentials (RFC 6749, 4.4). One request is under way at a time, whoever waits for it. While the issuer
 * can't be reached, a token serves until it expires.
 */
export function clientCredentials(options: ClientCredentialsOptions): TokenProvider {
  const send = createRequest(options);
  let kept: Kept | undefined;
  let underWay: Promise<string> | undefined;
  const renew = async (refused: string | undefined): Promise<string> => {
    try {
      const { token, seconds } = await send();
      const [now, ms] = [Date.now(), seconds * 1_000];
      kept = { token, until: now + Math.max(ms - MARGIN_MS, ms / 2), expires: now + ms };
      return token;
    } catch (error) {
      const passes = error instanceof TokenError && error.mayPass;
      if (!passes || !kept || kept.token === refused || Date.now() >= kept.expires) throw error;
      kept.until = Math.min(kept.expires, Date.now() + NEXT_TRY_MS);
      return kept.token;
    }
  };
  return (refused) => {
    if (kept && kept.token !== refused && Date.now() < kept.until) return kept.token;
    underWay ??= renew(refused).finally(() => (underWay = undefined));
    return underWay;
  };
}

function createRequest(options: ClientCredentialsOptions): () => Promise<{ token: string; seconds: number }> {
  const {
    scope,
    tokenEndpoint = given('AZURE_OPENID_CONFIG_TOKEN_ENDPOINT'),
    clientId = given('AZURE_APP_CLIENT_ID'),
    clientSecret = given('AZURE_APP_CLIENT_SECRET'),
    fetch: send = fetch,
  } = options;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope };
  return () => requestToken(tokenEndpoint, form, send);
}

function given(name: string): string {
  // eslint-disable-next-line no-restricted-syntax -- a package, which has no config.ts
  const value = process.env[name];
  if (value === undefined) throw new TokenError(`${name} is not set, and nothing is given instead`, { mayPass: false });
  return value;
}

async function requestToken(
  tokenEndpoint: string,
  form: Record<string, string>,
  send: (url: string, init: RequestInit) => Promise<Response>,
): Promise<{ token: string; seconds: number }> {
  // No Request of its own, and nowhere else than where the secret belongs: see patient-fetch.ts.
  const init = { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' } as const;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await send(tokenEndpoint, { ...init, signal }).catch((cause: unknown) => {
    throw new TokenError('the issuer can not be reached', { cause, mayPass: true });
  });
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  // Not the answer's text: it may repeat what was sent.
  const { ok, status } = response;
  if (!ok) throw new TokenError(`the issuer answered ${String(status)}`, { mayPass: status === 429 || status >= 500 });
  const { access_token: token, expires_in: seconds } = answer;
  if (typeof token !== 'string') throw new TokenError('the issuer gave none', { mayPass: false });
  return { token, seconds: Number(seconds) || 0 };
}
