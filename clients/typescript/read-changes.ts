import { setTimeout as wait } from 'node:timers/promises';
import type { QueryApiClient, Schemas } from './client.ts';

/** A page of the change feed, and what it told of as it is now. */
export interface ReadChanges {
  /** those named as ENDRET that are there */
  avtaler: Schemas['Avtale'][];
  /** the ids of those to forget: SLETTET, or not there any more */
  gone: string[];
  /** to go on from; store it together with what was done about the page */
  position: string;
  /** there is more right away */
  more: boolean;
}

/** The position can't be used any more: everything must be read anew, from `eksporterAvtaler`. */
export class StartAgainError extends Error {
  constructor() {
    super('The position in the change feed can not be used any more: start again from eksporterAvtaler');
  }
}

/** The service answered something that waiting does not help against, or for too long. */
export class UnansweredError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`tiltak-datadeling answered ${String(status)}`);
    this.status = status;
  }
}

export interface ReadChangesOptions {
  /** `posisjon` of the export, or of the page before */
  after: string;
  /** on a page, at most 1,000 */
  count?: number;
  /** at the end of the feed, at most 30 */
  waitSeconds?: number;
  /** how long to go on asking when the service says to wait (429, 503) */
  patienceMs?: number;
  /** the client for the look-up, when another app is asked than for the feed */
  lookups?: QueryApiClient;
}

/**
 * The next page for who keeps a copy. The avtaler are at least as new as the page: what answers may read from a replica
 * that is behind, and is then asked again.
 *
 * @throws StartAgainError, UnansweredError; the page has not been used then, and can be asked for again
 */
export async function readChanges(client: QueryApiClient, options: ReadChangesOptions): Promise<ReadChanges> {
  const { after, count = 500, waitSeconds = 30, patienceMs = 60_000, lookups = client } = options;
  const query = { etter: after, antall: count, ventSekunder: waitSeconds };
  const page = await patiently(patienceMs, () => client.GET('/api/v1/endringer', { params: { query } }));
  const told = new Map(page.endringer.map(({ avtaleId, type }) => [avtaleId, type]));
  const avtaleIder = [...told].flatMap(([avtaleId, type]) => (type === 'SLETTET' ? [] : [avtaleId]));
  const avtaler =
    avtaleIder.length === 0
      ? []
      : (
          await patiently(patienceMs, () =>
            lookups.POST('/api/v1/avtaler/sok', {
              params: { header: { 'Minst-Posisjon': page.posisjon } },
              body: { avtaleIder, antall: 1_000 },
            }),
          )
        ).avtaler;
  const found = new Set(avtaler.map(({ avtaleId }) => avtaleId));
  const gone = [...told.keys()].filter((avtaleId) => !found.has(avtaleId));
  return { avtaler, gone, position: page.posisjon, more: page.flere };
}

async function patiently<T>(ms: number, ask: () => Promise<{ data?: T; response: Response }>): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const { data, response } = await ask();
    if (data !== undefined) return data;
    if (response.status === 410) throw new StartAgainError();
    const isPassing = response.status === 429 || response.status === 503;
    const pauseMs = Number(response.headers.get('retry-after') ?? 1) * 1_000 * (1 + Math.random() / 4);
    if (!isPassing || Date.now() + pauseMs > deadline) throw new UnansweredError(response.status);
    await wait(pauseMs);
  }
}
