import { setTimeout as wait } from 'node:timers/promises';

/** Waits for the work, and no longer than so: who stops must end, whatever else stands still. */
export async function within(maxMs: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const timeUp = wait(maxMs, undefined, { signal: enough.signal }).catch(() => undefined);
  try {
    await Promise.race([work, timeUp]);
  } finally {
    enough.abort();
  }
}
