import { logger } from '@tiltak/platform';
import { atOnceProblem } from '../access/consumer-limits.ts';
import type { Reader } from '../lookups/reader.ts';
import type { Shares } from '../shared/shares.ts';
import { beginningOf, FEED_END, toFeedEnd, type FeedEnd } from './changes.queries.ts';
import { isAfter, type FeedPosition } from './feed-position.ts';

/** Where a reader of the feed has come to. */
export interface FeedPlace {
  epoch: string;
  after: FeedPosition;
}

interface Waiting extends FeedPlace {
  release: () => void;
}

/**
 * Lets readers wait for something to read. While anyone waits, the end of the feed is looked up at a steady pace, once
 * for all of them and on no connection of their own.
 *
 * It polls, since LISTEN/NOTIFY would not do: a notification comes when a transaction commits, but what it wrote can be
 * read only when all transactions before it have ended. No notification tells that, and a read replica gets none at all.
 */
export class FeedWaiter {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly reader: Reader,
    private readonly shares: Shares,
    private readonly intervalMs = 50,
  ) {}

  /**
   * Returns when there may be something after the place, when the place can't be used any more, when the time is out, or
   * when the reader has gone.
   *
   * @throws Problem 429 when the consumer has as many readers waiting as it may have
   */
  async wait(konsument: string, place: FeedPlace, seconds: number, aborted: AbortSignal): Promise<void> {
    if (this.stopped || aborted.aborted) return;
    const giveBack = this.shares.take(konsument);
    if (!giveBack) throw atOnceProblem(`${String(this.shares.max)} readers that wait`, 5);
    await new Promise<void>((resolve) => {
      const release = (): void => {
        clearTimeout(deadline);
        aborted.removeEventListener('abort', release);
        this.waiting.delete(waiting);
        giveBack();
        resolve();
      };
      const waiting = { ...place, release };
      const deadline = setTimeout(release, seconds * 1_000);
      aborted.addEventListener('abort', release);
      this.waiting.add(waiting);
      this.timer ??= setTimeout(() => void this.poll(), this.intervalMs);
    });
  }

  /** Those who wait are let go with what there is. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const { release } of [...this.waiting]) release();
  }

  private async poll(): Promise<void> {
    try {
      this.releaseBefore(toFeedEnd(await this.reader.query(FEED_END)));
    } catch (error) {
      logger.warn({ err: error }, 'The end of the change feed could not be read; trying again');
    }
    const goOn = this.waiting.size > 0 && !this.stopped;
    this.timer = goOn ? setTimeout(() => void this.poll(), this.intervalMs) : undefined;
  }

  private releaseBefore(end: FeedEnd): void {
    const { epoch, last } = end;
    const beginning = beginningOf(end);
    for (const { release, ...place } of [...this.waiting]) {
      const isUsable = place.epoch === epoch && !isAfter(beginning, place.after);
      if (!isUsable || (last && isAfter(last, place.after))) release();
    }
  }
}
