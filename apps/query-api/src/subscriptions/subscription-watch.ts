import { logger, PROBLEMS, Problem } from '@tiltak/platform';
import { atOnceProblem, MAX_WAITING_READERS, type ConsumerLimits } from '../access/consumer-limits.ts';
import type { Reader } from '../lookups/reader.ts';
import { touchedQuery } from './subscription-feed.queries.ts';

export interface Waiting {
  konsument: string;
  /** of the subscription */
  id: string;
  /** the first transaction that the reader has not seen */
  from: bigint;
  /** by `performance.now()` */
  until: number;
  /** when the answer is, or the client has gone */
  closed: AbortSignal;
}

/**
 * Wakes those who wait for changes of their subscriptions. While anyone waits, what is new in the feed is held against the
 * members of all of them by one statement, however many they are: only those that it is of read anything themselves.
 */
export class SubscriptionWatch {
  private readonly waiting = new Map<string, Set<() => void>>();
  private waitingCount = 0;
  /** all transactions before it have been looked at */
  private from: bigint | undefined;
  private epoch: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isPolling = false;
  private stopped = false;
  /** requests that no longer count as look-ups */
  private readonly paused = new WeakSet<AbortSignal>();

  constructor(
    private readonly reader: Pick<Reader, 'read'>,
    private readonly limits: Pick<ConsumerLimits, 'lookups' | 'waitingReaders'>,
    private readonly intervalMs = 50,
  ) {}

  /**
   * Until there may be something for the subscription, or the time is out.
   *
   * @returns whether it is worth while to read
   * @throws Problem 429 when the consumer has as many readers that wait as it may have, 503 when there are too many in all
   */
  async wait({ konsument, id, from, until, closed }: Waiting): Promise<boolean> {
    if (this.stopped || closed.aborted) return false;
    const { waitingReaders, lookups } = this.limits;
    if (this.waitingCount >= MAX_WAITING_READERS) {
      throw new Problem(PROBLEMS.UTILGJENGELIG, 'Too many wait for changes', { retryAfter: 5 });
    }
    const giveBack = waitingReaders.take(konsument);
    if (!giveBack) throw atOnceProblem(`${String(waitingReaders.max)} readers that wait`, 5);
    if (!this.paused.has(closed)) {
      this.paused.add(closed);
      closed.addEventListener('abort', lookups.pause(konsument), { once: true });
    }
    try {
      return await new Promise<boolean>((resolve) => {
        const leave = (isWoken: boolean): void => {
          clearTimeout(deadline);
          closed.removeEventListener('abort', hangUp);
          this.remove(id, wake);
          resolve(isWoken);
        };
        const wake = (): void => leave(true);
        const hangUp = (): void => leave(false);
        const deadline = setTimeout(hangUp, until - performance.now());
        closed.addEventListener('abort', hangUp);
        this.add(id, wake, from);
      });
    } finally {
      giveBack();
    }
  }

  /** Of one whose members are others now. */
  wake(id: string): void {
    for (const wake of this.waiting.get(id) ?? []) wake();
  }

  /** Those who wait are let go. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const id of this.waiting.keys()) this.wake(id);
  }

  private add(id: string, wake: () => void, from: bigint): void {
    this.waiting.set(id, (this.waiting.get(id) ?? new Set()).add(wake));
    this.waitingCount++;
    // Who has read less than has been looked at: that is looked at again.
    if (this.from === undefined || from < this.from) this.from = from;
    this.pollSoon();
  }

  private remove(id: string, wake: () => void): void {
    const those = this.waiting.get(id);
    if (those?.delete(wake)) this.waitingCount--;
    if (those?.size === 0) this.waiting.delete(id);
  }

  private pollSoon(): void {
    if (this.stopped || this.timer || this.isPolling) return;
    this.timer = setTimeout(() => void this.poll(), this.intervalMs);
  }

  private async poll(): Promise<void> {
    this.timer = undefined;
    this.isPolling = true;
    try {
      await this.look();
    } catch (error) {
      logger.warn({ err: error }, 'What is new for subscriptions could not be read; trying again');
    }
    this.isPolling = false;
    if (this.waitingCount > 0) this.pollSoon();
    else this.from = undefined;
  }

  private async look(): Promise<void> {
    const from = this.from ?? 0n;
    const { rows } = await this.reader.read(touchedQuery(from, [...this.waiting.keys()]), {});
    const [first] = rows;
    if (!first) return;
    // Of another history the numbers mean nothing: whoever waits reads, and is told so.
    const isOther = this.epoch !== undefined && this.epoch !== first.epoke;
    this.epoch = first.epoke;
    if (first.flere || isOther) for (const id of [...this.waiting.keys()]) this.wake(id);
    else for (const { abonnement: id } of rows) if (id !== null) this.wake(id);
    // Another may have come meanwhile, who has read less.
    if (this.from === from || isOther) this.from = BigInt(first.horisont);
  }
}
