import createClient, { type Client, type Middleware } from 'openapi-fetch';
import type { components as adapterParts, paths as adapterPaths } from './adapter-api.schema.ts';
import { isLines, patientFetch, type PatientFetchOptions } from './patient-fetch.ts';
import type { components, paths } from './query-api.schema.ts';
import { parseTolerant } from './tolerant.ts';

export { CutOffError, readExport, type Exported, type ReadExportOptions } from './export.ts';
export { followAvtaler, type FollowOptions, type Progress } from './follow-avtaler.ts';
export { readPages } from './pages.ts';
export { UnansweredError, type Patience } from './patient-fetch.ts';
export { PostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
export { answerOf, momentOf, ProblemError, type Problem } from './problem.ts';
export { readChanges, StartAgainError, type ReadChanges, type ReadChangesOptions } from './read-changes.ts';
export { MemoryStore, type AvtalePart, type CopiedAvtale, type CopyChange, type Store } from './store.ts';
export { clientCredentials, TokenError, type ClientCredentialsOptions, type TokenProvider } from './token.ts';

/** The schemas of the published document by name, for instance `Schemas['Avtale']`. */
export type Schemas = components['schemas'];

export type QueryApiClient = Client<paths>;

export interface ClientOptions extends PatientFetchOptions {
  /** where the service is, without a path */
  baseUrl: string;
}

/**
 * A client of tiltak-datadeling, typed by the published OpenAPI document (`query-api.schema.ts` is generated from it). It tries
 * again what passes by waiting, and reads values that are newer than itself as `UKJENT`. Answers with
 * `{ data, error, response }`, where `error` is the problem+json; `answerOf` gives the data, or throws.
 */
export function createQueryApiClient({ baseUrl, ...options }: ClientOptions): QueryApiClient {
  const client = createClient<paths>({ baseUrl, fetch: patientFetch(options) });
  client.use(tolerance);
  return client;
}

const tolerance: Middleware = {
  onResponse: async ({ response }) => {
    if (!response.ok || isLines(response) || response.status === 204) return response;
    const text = JSON.stringify(parseTolerant(await response.text()));
    return new Response(text, { status: response.status, headers: response.headers });
  },
};

/** The schemas of the document for adapters by name. */
export type AdapterSchemas = adapterParts['schemas'];

export type AdapterApiClient = Client<adapterPaths>;

/**
 * As `createQueryApiClient`, for the adapter of an organisation. A page of a sync, a change and a deletion may be sent
 * again: the service takes them once.
 */
export function createAdapterClient({ baseUrl, ...options }: ClientOptions): AdapterApiClient {
  return createClient<adapterPaths>({ baseUrl, fetch: patientFetch(options) });
}
