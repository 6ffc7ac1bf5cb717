import { logger } from '@tiltak/platform';
import type { Reader } from '../lookups/reader.ts';
import { isAfter, readLast } from './changes.queries.ts';
import type { FeedPosition } from './feed-position.ts';

interface Waiting {
  after: FeedPosition;
  release: () => void;
}

/**
 * Lets readers wait for something to read. While anyone waits, the end of the feed is looked up at a steady pace, once
 * for all of them and on no connection of their own. Asked and not told: a notification comes when a transaction
 * commits, but what it wrote can be read only when all before it have ended, which nobody tells; and a read replica
 * gets no notifications at all.
 */
export class FeedWaiter {
  private readonly pending = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly reading: Reader,
    private readonly intervalMs = 50,
  ) {}

  /** Returns when there may be something after the position, when the time is out, or when the reader has gone. */
  async wait(after: FeedPosition, seconds: number, aborted: AbortSignal): Promise<void> {
    if (this.stopped || aborted.aborted) return;
    await new Promise<void>((release) => {
      const pending = { after, release };
      this.pending.add(pending);
      const done = (): void => {
        clearTimeout(deadline);
        aborted.removeEventListener('abort', done);
        this.pending.delete(pending);
        release();
      };
      pending.release = done;
      const deadline = setTimeout(done, seconds * 1_000);
      aborted.addEventListener('abort', done);
      this.timer ??= setTimeout(() => void this.se(), this.intervalMs);
    });
  }

  /** Those who wait are let go with what there is. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const { release } of [...this.pending]) release();
  }

  private async se(): Promise<void> {
    try {
      const last = await readLast(this.reading);
      for (const { after, release } of last ? [...this.pending] : []) if (last && isAfter(last, after)) release();
    } catch (error) {
      logger.warn({ err: error }, 'The end of the change feed could not be read; trying again');
    }
    this.timer = this.pending.size > 0 && !this.stopped ? setTimeout(() => void this.se(), this.intervalMs) : undefined;
  }
}
