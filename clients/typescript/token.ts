/**
 * Gives a machine token for the service, the same until it is about to expire.
 *
 * @param refused a token that the service has just refused: another is wanted
 */
export type TokenProvider = (refused?: string) => Promise<string> | string;

export interface ClientCredentialsOptions {
  /** of the issuer, for instance `AZURE_OPENID_CONFIG_TOKEN_ENDPOINT` on Nais */
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
  /** of the service, for instance `api://<cluster>.<namespace>.<app>/.default` */
  scope: string;
  fetch?: (request: Request) => Promise<Response>;
}

/** So long before it expires a token is replaced: it must still be valid when it arrives. */
const MARGIN_MS = 60_000;
const TIMEOUT_MS = 10_000;

/** The issuer did not give a token. */
export class TokenError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(`No token: ${what}`, options);
  }
}

/** OAuth 2.0 client credentials (RFC 6749, 4.4). One request is under way at a time, whoever waits for it. */
export function clientCredentials(options: ClientCredentialsOptions): TokenProvider {
  let current: { token: string; until: number } | undefined;
  let underWay: Promise<string> | undefined;
  const renew = async (): Promise<string> => {
    const { token, seconds } = await requestToken(options);
    current = { token, until: Date.now() + Math.max(seconds * 1_000 - MARGIN_MS, (seconds * 1_000) / 2) };
    return token;
  };
  return (refused) => {
    if (current && current.token !== refused && Date.now() < current.until) return current.token;
    underWay ??= renew().finally(() => (underWay = undefined));
    return underWay;
  };
}

async function requestToken(options: ClientCredentialsOptions): Promise<{ token: string; seconds: number }> {
  const { tokenEndpoint, clientId, clientSecret, scope, fetch: send = fetch } = options;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope };
  const request = new Request(tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const response = await send(request).catch((cause: unknown) => {
    throw new TokenError('the issuer can not be reached', { cause });
  });
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  // Not the answer's text: it may repeat what was sent.
  if (!response.ok) throw new TokenError(`the issuer answered ${String(response.status)}`);
  const { access_token: token, expires_in: seconds } = answer;
  if (typeof token !== 'string') throw new TokenError('the issuer gave none');
  return { token, seconds: Number(seconds) || 0 };
}
