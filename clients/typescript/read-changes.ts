import type { QueryApiClient, Schemas } from './client.ts';
import { withId } from './copy-content.ts';
import { answerOf, momentOf, ProblemError } from './problem.ts';
import type { AvtalePart } from './store.ts';

/** What a type that is newer than the client means is seen in the look-up. */
const GONE: ReadonlySet<Schemas['Endringstype']> = new Set(['SLETTET', 'UTENFOR'] as const);

/** A page of the change feed, and what it told of as it is now. */
export interface ReadChanges<Avtale = Schemas['Avtale']> {
  /** those named as ENDRET that are there */
  avtaler: Avtale[];
  /** the ids of those to forget: SLETTET, UTENFOR, or not there any more */
  gone: string[];
  /** to go on from; store it together with what was done about the page */
  position: string;
  /** there is more right away */
  more: boolean;
  /** when there is no more: everything that the source published up to this moment has been told */
  updatedTo: Date | undefined;
  /** when the last change on the page was made; undefined when there is none */
  lastChange: Date | undefined;
}

/** The position can't be used any more: everything must be read anew, from `readExport`. */
export class StartAgainError extends Error {
  constructor(options?: ErrorOptions) {
    super('The position in the change feed can not be used any more: start again from eksporterAvtaler', options);
  }
}

export interface ReadChangesOptions {
  /** `position` of the export, or of the page before */
  after: string;
  /** the feed of this abonnement of yours; `after` is a position of it */
  abonnement?: string;
  /** on a page, at most 1,000 */
  count?: number;
  /** at the end of the feed, at most 30 */
  waitSeconds?: number;
  /** the client for the look-up, when another app is asked than for the feed */
  lookups?: QueryApiClient;
  signal?: AbortSignal;
}

/**
 * The next page for who keeps a copy. The avtaler are at least as new as the page: what answers may read from a replica
 * that is behind, and is then asked again.
 *
 * @throws StartAgainError, ProblemError, UnansweredError, TokenError; the page has not been used then, and can be asked for again
 */
export function readChanges(client: QueryApiClient, options: ReadChangesOptions): Promise<ReadChanges>;
/** @param options with `felter`: these fields of each, and its id, by `hentUtdrag`. Only they need a grant */
export function readChanges<Field extends Schemas['Avtalefelt']>(
  client: QueryApiClient,
  options: ReadChangesOptions & { felter: readonly Field[] },
): Promise<ReadChanges<AvtalePart<Field>>>;
export async function readChanges(
  client: QueryApiClient,
  options: ReadChangesOptions & LookUpFields,
): Promise<ReadChanges<Copied>> {
  const { after, abonnement, count = 500, waitSeconds = 30, signal = null } = options;
  const of = abonnement === undefined ? {} : { abonnement };
  const query = { etter: after, ...of, antall: count, ventSekunder: waitSeconds };
  const asked = client.GET('/api/v1/endringer', { params: { query }, signal });
  const page = await unlessGone(answerOf(asked));
  // The last that is told of an avtale counts.
  const told = new Map(page.endringer.map(({ avtaleId, type }) => [avtaleId, type]));
  const avtaleIder = [...told].flatMap(([avtaleId, type]) => (GONE.has(type) ? [] : [avtaleId]));
  const { lookups = client } = options;
  const avtaler = avtaleIder.length === 0 ? [] : await lookUp(lookups, avtaleIder, page.posisjon, options);
  const found = new Set(avtaler.map(({ avtaleId }) => avtaleId));
  const gone = [...told.keys()].filter((avtaleId) => !found.has(avtaleId));
  const updatedTo = momentOf((await asked).response);
  const last = page.endringer.at(-1)?.tidspunkt;
  const lastChange = last === undefined ? undefined : new Date(last);
  return { avtaler, gone, position: page.posisjon, more: page.flere, updatedTo, lastChange };
}

interface LookUpFields {
  felter?: readonly Schemas['Avtalefelt'][];
}

type Copied = AvtalePart<Schemas['Avtalefelt']>;

/** Those that are there, as new as the position at least. */
async function lookUp(
  client: QueryApiClient,
  avtaleIder: string[],
  position: string,
  { felter, signal = null }: LookUpFields & { signal?: AbortSignal | null },
): Promise<Copied[]> {
  const params = { header: { 'Minst-Posisjon': position } };
  const body = { avtaleIder, antall: 1_000 };
  if (!felter) {
    return (await unlessGone(answerOf(client.POST('/api/v1/avtaler/sok', { params, body, signal })))).avtaler;
  }
  const asked = client.POST('/api/v1/avtaler/utdrag', { params, body: { ...body, felter: withId(felter) }, signal });
  // Each has the fields that were asked for.
  return (await unlessGone(answerOf(asked))).avtaler as Copied[];
}

async function unlessGone<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw error instanceof ProblemError && error.status === 410 ? new StartAgainError({ cause: error }) : error;
  });
}
