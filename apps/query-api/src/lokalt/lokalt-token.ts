import { Oppstartsfeil } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';

/** Where a page on the local stack gets a token; open, and there only with LOKAL_TOKENKILDE. */
export const LOKALT_TOKEN = '/lokalt-token';

/**
 * On a developer's machine, Swagger UI is authorised from the start, with a token of the local issuer.
 *
 * @throws Oppstartsfeil unless everything is on this machine: anyone could call as that consumer
 */
export function kontrollerLokal(kilde: string, konfig: { HOST: string; AZURE_OPENID_CONFIG_ISSUER: string }): void {
  const steder = [new URL(kilde).hostname, konfig.HOST, new URL(konfig.AZURE_OPENID_CONFIG_ISSUER).hostname];
  if (steder.every((sted) => ['127.0.0.1', 'localhost'].includes(sted))) return;
  throw new Oppstartsfeil('LOKAL_TOKENKILDE is for a local stack only: HOST and the token issuer must be on 127.0.0.1');
}

/** @param kilde token endpoint of the issuer, with the `client_id` and the `audience` to ask it for */
export function giLokaltToken(server: FastifyInstance, kilde: string): void {
  const { origin, pathname, searchParams } = new URL(kilde);
  server.get(LOKALT_TOKEN, async (_request, reply) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...Object.fromEntries(searchParams) });
    const svar = await fetch(origin + pathname, { method: 'POST', body });
    const { access_token: token } = (await svar.json()) as { access_token: string };
    return reply.type('text/plain').send(token);
  });
}

/** Script for Swagger UI, which makes itself known as `ui` when it is ready. */
export const AUTORISER = `
  const ventPaaUi = setInterval(async () => {
    if (!window.ui) return;
    clearInterval(ventPaaUi);
    const svar = await fetch('${LOKALT_TOKEN}');
    if (svar.ok) window.ui.preauthorizeApiKey('entra', await svar.text());
  }, 50);`;
