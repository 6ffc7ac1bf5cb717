import { setTimeout as wait } from 'node:timers/promises';
import type { QueryApiClient } from './client.ts';
import { readExport } from './export.ts';
import { ProblemError } from './problem.ts';
import { readChanges, StartAgainError } from './read-changes.ts';
import type { Store } from './store.ts';

/** How far a copy has come. */
export interface Progress {
  /** what the copy was just made: everything anew, or one page of changes further */
  step: 'EXPORT' | 'CHANGES';
  /** how many avtaler were stored, and how many forgotten */
  stored: number;
  gone: number;
  position: string;
  /** everything that the source published up to this moment is in the copy, once `more` is false */
  updatedTo: Date | undefined;
  /** there is more right away */
  more: boolean;
}

export interface FollowOptions {
  client: QueryApiClient;
  store: Store;
  /** ends the following, after what is being stored */
  signal?: AbortSignal;
  /** after each step is stored; what it throws ends the following */
  onProgress?: (progress: Progress) => void;
  /** something failed that passes by waiting, here or at the store; it is tried again after so long */
  onRetry?: (error: unknown, ms: number) => void;
  /** changes on a page, at most 1,000 */
  count?: number;
  /** at the end of the feed, at most 30 */
  waitSeconds?: number;
}

const MAX_PAUSE_MS = 30_000;

/**
 * Keeps a copy of all avtaler that the consumer may see: everything once, then what changes, for ever. It goes on from
 * where the store is, after a restart too, and starts anew when its position can't be used any more, or an export was cut
 * off. Any number of processes may follow with one store. What fails at the service, on the way or at the store is tried
 * again, with pauses that grow to half a minute.
 *
 * @throws ProblemError for what waiting does not help against: no grant, a wrong request
 */
export async function followAvtaler(options: FollowOptions): Promise<void> {
  const { signal, store, onProgress, onRetry } = options;
  let isGone = false;
  for (let failures = 0; !signal?.aborted;) {
    let progress: Progress | undefined;
    try {
      const position = isGone ? undefined : await store.readPosition();
      progress = await (position === undefined ? takeExport(options) : takeChanges(options, position));
      isGone = false;
      failures = 0;
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof StartAgainError && !isGone) {
        isGone = true;
        continue;
      }
      if (error instanceof ProblemError && !error.mayPass) throw error;
      const ms = Math.min(MAX_PAUSE_MS, 500 * 2 ** failures++) * (0.75 + Math.random() / 2);
      onRetry?.(error, ms);
      await wait(ms, undefined, signal && { signal }).catch(() => undefined);
    }
    if (progress) onProgress?.(progress);
  }
}

async function takeExport({ client, store, signal }: FollowOptions): Promise<Progress> {
  const { position, count, updatedTo, avtaler } = await readExport(client, signal);
  await store.replaceAll(avtaler, position);
  return { step: 'EXPORT', stored: count, gone: 0, position, updatedTo, more: true };
}

/** Undefined when another process was first. */
async function takeChanges(options: FollowOptions, after: string): Promise<Progress | undefined> {
  const { client, store, signal, count, waitSeconds } = options;
  const { avtaler, gone, position, more, updatedTo } = await readChanges(client, {
    after,
    ...(count !== undefined && { count }),
    ...(waitSeconds !== undefined && { waitSeconds }),
    ...(signal && { signal }),
  });
  // Waiting at the end of the feed writes nothing.
  const isTaken = position === after || (await store.apply({ avtaler, gone, after, position }));
  return isTaken
    ? { step: 'CHANGES', stored: avtaler.length, gone: gone.length, position, updatedTo, more }
    : undefined;
}
