import createClient, { type Client } from 'openapi-fetch';
import type { components as adapterParts, paths as adapterPaths } from './adapter-api.schema.ts';
import type { components, paths } from './query-api.schema.ts';

export {
  readChanges,
  StartAgainError,
  UnansweredError,
  type ReadChanges,
  type ReadChangesOptions,
} from './read-changes.ts';

/** The schemas of the published document by name, for instance `Schemas['Avtale']`. */
export type Schemas = components['schemas'];

export type QueryApiClient = Client<paths>;

/**
 * A client of tiltak-datadeling, typed by the published OpenAPI document (`query-api.schema.ts` is generated from it). Answers with
 * `{ data, error, response }`; `error` is the problem+json.
 *
 * @param getToken gives an Entra ID machine token for this service, a fresh one when the last is about to expire
 */
export function createQueryApiClient(options: {
  /** where the service is, without a path */
  baseUrl: string;
  getToken: () => Promise<string> | string;
  /** required for a consumer with several purposes */
  behandlingsgrunnlag?: string;
}): QueryApiClient {
  const client = createClient<paths>({ baseUrl: options.baseUrl });
  client.use({
    onRequest: async ({ request }) => {
      request.headers.set('Authorization', `Bearer ${await options.getToken()}`);
      if (options.behandlingsgrunnlag !== undefined) {
        request.headers.set('Behandlingsgrunnlag', options.behandlingsgrunnlag);
      }
      return request;
    },
  });
  return client;
}

/** The schemas of the document for adapters by name. */
export type AdapterSchemas = adapterParts['schemas'];

export type AdapterApiClient = Client<adapterPaths>;

/** As `createQueryApiClient`, for the adapter of an organisation. */
export function createAdapterClient(options: {
  baseUrl: string;
  getToken: () => Promise<string> | string;
}): AdapterApiClient {
  const client = createClient<adapterPaths>({ baseUrl: options.baseUrl });
  client.use({
    onRequest: async ({ request }) => {
      request.headers.set('Authorization', `Bearer ${await options.getToken()}`);
      return request;
    },
  });
  return client;
}
