import { setTimeout as wait } from 'node:timers/promises';
import type { QueryApiClient, Schemas } from './client.ts';
import { toPosition, toStored } from './copy-content.ts';
import { CutOffError, readExport, type Exported } from './export.ts';
import { UnansweredError } from './patient-fetch.ts';
import { ProblemError } from './problem.ts';
import { readChanges, StartAgainError, type ReadChanges } from './read-changes.ts';
import type { AvtalePart, CopiedAvtale, Store } from './store.ts';
import { TokenError } from './token.ts';

/** How far a copy has come. */
export interface Progress {
  /**
   * what the copy was just made: everything anew, or one page of changes further; EXPORTING: everything is being read anew,
   * and so much of it has come
   */
  step: 'EXPORTING' | 'EXPORT' | 'CHANGES';
  /** how many avtaler were stored, or have come of an export, and how many were forgotten */
  stored: number;
  gone: number;
  position: string;
  /** everything that the source published up to this moment is in the copy, once `more` is false */
  updatedTo: Date | undefined;
  /** there is more right away */
  more: boolean;
  /** how old the copy is: since `updatedTo`, or since the last change that it has when there is more; undefined: unknown */
  lagMs: number | undefined;
  /** how many avtaler the export has */
  total: number | undefined;
}

export interface FollowOptions<Avtale extends CopiedAvtale = Schemas['Avtale']> {
  client: QueryApiClient;
  /** of one copy: one that is of another abonnement, or of other fields, is made anew */
  store: Store<Avtale>;
  /** keeps a copy of what this abonnement of yours is of, and of nothing else: what leaves it is forgotten */
  abonnement?: string;
  /** ends the following, after what is being stored */
  signal?: AbortSignal;
  /** after each step is stored, and while an export comes; what it throws ends the following */
  onProgress?: (progress: Progress) => void;
  /** something failed that passes by waiting, here or at the store, and is tried again after so long; without it, a warning is written */
  onRetry?: (error: unknown, ms: number) => void;
  /** changes on a page, at most 1,000 */
  count?: number;
  /** at the end of the feed, at most 30 */
  waitSeconds?: number;
}

const MAX_PAUSE_MS = 30_000;

/**
 * Keeps a copy of all avtaler that the consumer may see, or that its abonnement is of: everything once, then what changes,
 * for ever. It goes on from where the store is, after a restart too, and starts anew when its position can't be used any
 * more, or an export was cut off. Any number of processes may follow with one store. What fails at the service, on the way
 * or at the store is tried again, with pauses that grow to half a minute.
 *
 * @throws ProblemError, TokenError for what waiting does not help against: no grant, a wrong request, a wrong secret
 */
export function followAvtaler(options: FollowOptions): Promise<void>;
/**
 * @param options with `felter`: a copy of these fields of each, and its id. Only they need a grant, and the operation
 *   `hentUtdrag` in the place of `sokAvtaler`
 */
export function followAvtaler<Field extends Schemas['Avtalefelt']>(
  options: FollowOptions<AvtalePart<Field>> & { felter: readonly Field[] },
): Promise<void>;
export async function followAvtaler(options: AnyOptions): Promise<void> {
  const { signal, onProgress, onRetry = warn } = options;
  const takeStep = createFollower(options);
  for (let failures = 0; !signal?.aborted;) {
    let progress: Progress | undefined;
    try {
      progress = await takeStep();
      failures = 0;
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof ToldError) throw error.cause;
      if ((error instanceof ProblemError || error instanceof TokenError) && !error.mayPass) throw error;
      const ms = Math.min(MAX_PAUSE_MS, 500 * 2 ** failures++) * (0.75 + Math.random() / 2);
      onRetry(error, ms);
      await wait(ms, undefined, signal && { signal }).catch(() => undefined);
    }
    if (progress) onProgress?.(progress);
  }
}

/** With `felter` the store is of these: what is read for it has no others. */
type AnyOptions = FollowOptions & { felter?: readonly Schemas['Avtalefelt'][] };

/** What `onProgress` threw: it is the caller's, and nothing to try again. */
class ToldError extends Error {}

/** One step at a time. A step is undefined when another process was first. */
function createFollower(options: AnyOptions): () => Promise<Progress | undefined> {
  /** a position that the service no longer takes */
  let refused: string | undefined;
  return async () => {
    const stored = await options.store.readPosition();
    const position = stored === undefined ? undefined : toPosition(stored, options);
    if (position === undefined || stored === refused) return takeExport(options, stored);
    try {
      return await takeChanges(options, position);
    } catch (error) {
      if (!(error instanceof StartAgainError)) throw error;
      refused = stored;
      return takeExport(options, stored);
    }
  };
}

async function takeExport(options: AnyOptions, instead: string | undefined): Promise<Progress | undefined> {
  const { client, store, felter, onProgress } = options;
  const asked = subsetOf(options);
  const exported = await (felter ? readExport(client, { ...asked, felter }) : readExport(client, asked));
  const { position, count: total, updatedTo, avtaler, close } = exported as Exported;
  const progress = (step: Progress['step'], stored: number): Progress => {
    return { step, stored, gone: 0, position, updatedTo, more: true, lagMs: lagSince(updatedTo), total };
  };
  const told = (async function* () {
    let read = 0;
    for await (const batch of avtaler) {
      read += batch.length;
      try {
        onProgress?.(progress('EXPORTING', read));
      } catch (cause) {
        throw new ToldError('onProgress', { cause });
      }
      yield batch;
    }
  })();
  try {
    return (await store.replaceAll(told, toStored(position, options), instead)) ? progress('EXPORT', total) : undefined;
  } finally {
    // A store that has no use for it any more has not read it to its end.
    close();
  }
}

async function takeChanges(options: AnyOptions, after: string): Promise<Progress | undefined> {
  const { client, store, felter, count, waitSeconds } = options;
  const asked = {
    after,
    ...subsetOf(options),
    ...(count !== undefined && { count }),
    ...(waitSeconds !== undefined && { waitSeconds }),
  };
  const page = await (felter ? readChanges(client, { ...asked, felter }) : readChanges(client, asked));
  const { avtaler, gone, position, more, updatedTo, lastChange } = page as ReadChanges;
  const change = { avtaler, gone, after: toStored(after, options), position: toStored(position, options) };
  // Waiting at the end of the feed writes nothing.
  const isTaken = position === after || (await store.apply(change));
  if (!isTaken) return undefined;
  const lagMs = lagSince(more ? lastChange : updatedTo);
  const [stored, total] = [avtaler.length, undefined];
  return { step: 'CHANGES', stored, gone: gone.length, position, updatedTo, more, lagMs, total };
}

function subsetOf({ abonnement, signal }: AnyOptions): { abonnement?: string; signal?: AbortSignal } {
  return { ...(abonnement !== undefined && { abonnement }), ...(signal && { signal }) };
}

function lagSince(moment: Date | undefined): number | undefined {
  return moment && Math.max(0, Date.now() - moment.getTime());
}

const OWN_ERRORS = [CutOffError, ProblemError, TokenError, UnansweredError];

function warn(error: unknown, ms: number): void {
  // Others' errors may hold what was being stored.
  const isOwn = OWN_ERRORS.some((kind) => error instanceof kind);
  const what = error instanceof Error ? (isOwn ? error.message : error.constructor.name) : typeof error;
  process.emitWarning(`Following waits ${String(Math.round(ms))} ms: ${what}`);
}
