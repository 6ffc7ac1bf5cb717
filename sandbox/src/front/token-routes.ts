import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Consumers } from '../process/consumers.ts';
import type { SandboxIssuer } from '../process/issuer.ts';
import type { OwnRoute } from './front.ts';

export const KEYS_PATH = '/sandkasse/oauth2/jwks';
export const TOKEN_PATH = '/sandkasse/oauth2/token';

const MAX_FORM_BYTES = 16_384;
/** Clients ask again when it has passed, as they do on the platform; the tokens themselves hold for longer. */
const EXPIRES_IN_SECONDS = 3_599;

/** What an issuer has for those who verify its tokens, and for clients that ask for one by client credentials. */
export function tokenRoutes(issuer: SandboxIssuer, consumers: Consumers): Record<string, OwnRoute> {
  return {
    [`GET ${KEYS_PATH}`]: (_request, response) => send(response, 200, issuer.keys),
    [`POST ${TOKEN_PATH}`]: async (request, response) => {
      const form = await readForm(request);
      const consumer = form?.get('client_id') ?? clientOfHeader(request);
      if (form?.get('grant_type') !== 'client_credentials')
        return send(response, 400, { error: 'unsupported_grant_type' });
      if (!consumer) return send(response, 401, { error: 'invalid_client' });
      const token = await issuer.token(consumers.clientIdOf(consumer));
      send(response, 200, { token_type: 'Bearer', access_token: token, expires_in: EXPIRES_IN_SECONDS });
    },
  };
}

/** The name in `Authorization: Basic`, as some libraries send it. */
function clientOfHeader({ headers }: IncomingMessage): string | undefined {
  const [, credentials = ''] = /^Basic +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const [name] = Buffer.from(credentials, 'base64').toString().split(':', 1);
  return name ? decodeURIComponent(name) : undefined;
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  let text = '';
  for await (const part of request) {
    text += String(part);
    if (text.length > MAX_FORM_BYTES) return undefined;
  }
  return new URLSearchParams(text);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
