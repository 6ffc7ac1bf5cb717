import { StartupError } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';

/** Where a page on the local stack gets a token; open, and there only with LOKAL_TOKENKILDE. */
export const LOCAL_TOKEN_ROUTE = '/lokalt-token';

/**
 * On a developer's machine, Swagger UI is authorised from the start, with a token of the local issuer.
 *
 * @throws StartupError unless everything is on this machine: anyone could call as that consumer
 */
export function requireLocal(source: string, config: { HOST: string; AZURE_OPENID_CONFIG_ISSUER: string }): void {
  const places = [new URL(source).hostname, config.HOST, new URL(config.AZURE_OPENID_CONFIG_ISSUER).hostname];
  if (places.every((place) => ['127.0.0.1', 'localhost'].includes(place))) return;
  throw new StartupError('LOKAL_TOKENKILDE is for a local stack only: HOST and the token issuer must be on 127.0.0.1');
}

/** @param source token endpoint of the issuer, with the `client_id` and the `audience` to ask it for */
export function serveLocalToken(server: FastifyInstance, source: string): void {
  const { origin, pathname, searchParams } = new URL(source);
  server.get(LOCAL_TOKEN_ROUTE, async (_request, reply) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...Object.fromEntries(searchParams) });
    const response = await fetch(origin + pathname, { method: 'POST', body });
    const { access_token: token } = (await response.json()) as { access_token: string };
    return reply.type('text/plain').send(token);
  });
}

/** Script for Swagger UI, which can be authorised when it has read the document. */
export const AUTHORIZE_SCRIPT = `
  const waitForUi = setInterval(async () => {
    if (!window.ui.specSelectors.specJson().size) return;
    clearInterval(waitForUi);
    const response = await fetch('${LOCAL_TOKEN_ROUTE}');
    if (response.ok) window.ui.preauthorizeApiKey('entra', await response.text());
  }, 50);
`;
