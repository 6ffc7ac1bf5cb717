import createClient, { type Client } from 'openapi-fetch';
import type { components as adapterdeler, paths as adapterstier } from './adapterskjema.ts';
import type { components, paths } from './skjema.ts';

/** The schemas of the published document by name, for instance `Skjema['Avtale']`. */
export type Skjema = components['schemas'];

export type Klient = Client<paths>;

/**
 * A client of tiltak-datadeling, typed by the published OpenAPI document (`skjema.ts` is generated from it). Answers with
 * `{ data, error, response }`; `error` is the problem+json.
 *
 * @param hentToken gives an Entra ID machine token for this service, a fresh one when the last is about to expire
 */
export function lagKlient(valg: {
  /** where the service is, without a path */
  baseUrl: string;
  hentToken: () => Promise<string> | string;
  /** required for a consumer with several purposes */
  behandlingsgrunnlag?: string;
}): Klient {
  const klient = createClient<paths>({ baseUrl: valg.baseUrl });
  klient.use({
    onRequest: async ({ request }) => {
      request.headers.set('Authorization', `Bearer ${await valg.hentToken()}`);
      if (valg.behandlingsgrunnlag !== undefined) {
        request.headers.set('Behandlingsgrunnlag', valg.behandlingsgrunnlag);
      }
      return request;
    },
  });
  return klient;
}

/** The schemas of the document for adapters by name. */
export type Adapterskjema = adapterdeler['schemas'];

export type Adapterklient = Client<adapterstier>;

/** As `lagKlient`, for the adapter of an organisation. */
export function lagAdapterklient(valg: { baseUrl: string; hentToken: () => Promise<string> | string }): Adapterklient {
  const klient = createClient<adapterstier>({ baseUrl: valg.baseUrl });
  klient.use({
    onRequest: async ({ request }) => {
      request.headers.set('Authorization', `Bearer ${await valg.hentToken()}`);
      return request;
    },
  });
  return klient;
}
