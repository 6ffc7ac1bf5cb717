import { setImmediate as nextTurn } from 'node:timers/promises';
import { logger, PROBLEMS, Problem } from '@tiltak/platform';
import { atOnceProblem, MAX_WAITING_READERS, type ConsumerLimits } from '../access/consumer-limits.ts';
import type { Reader } from '../lookups/reader.ts';
import { AVTALER_FEED, beginningOf, changesQuery, toChangesPage, toFeedEnd } from './changes.queries.ts';
import { before, isAfter, parsePosition } from './feed-position.ts';
import { FeedWindow, type TailPage } from './feed-window.ts';

/** Rows that one poll reads; when there are more, the next comes at once. */
const POLL_ROWS = 1_000;
/** After so long without a poll, what was read is let go, and the next one begins at the end of the feed. */
const LINGER_MS = 5_000;
/** Between two polls, also when each follower that comes would have one at once. */
const MIN_GAP_MS = 5;
/** Followers that are woken in one turn of the event loop: all other requests wait meanwhile. */
const WOKEN_AT_ONCE = 50;

export interface Following {
  konsument: string;
  /** where the follower has come to, as consumers have it */
  after: string;
  count: number;
  /** by `performance.now()` */
  until: number;
  /** when the answer is, or the client has gone */
  closed: AbortSignal;
}

interface Follower {
  count: number;
  /** polls that had begun when it came: only the ones after them tell what is there now */
  since: number;
  wake: (page: TailPage | undefined) => void;
}

/**
 * The end of the change feed, for those who follow it. While anyone waits it is read at a steady pace, once for all of
 * them, and who then finds something is answered with what was read: a change costs as many statements for a thousand
 * followers as for one.
 *
 * It polls, since LISTEN/NOTIFY would not do: a notification comes when a transaction commits, but what it wrote can be
 * read only when all transactions before it have ended. No notification tells that, and a read replica gets none at all.
 */
export class FeedTail {
  /** by their position */
  private readonly waiting = new Map<string, Set<Follower>>();
  private waitingCount = 0;
  private window: FeedWindow | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly polls = { begun: 0, underWay: false, soon: false, failed: false, begunAt: -Infinity };
  private stopped = false;
  /** requests that count as followers, and not as look-ups, until they are answered */
  private readonly paused = new WeakSet<AbortSignal>();

  constructor(
    private readonly reader: Reader,
    private readonly limits: Pick<ConsumerLimits, 'lookups' | 'waitingReaders'>,
    private readonly intervalMs = 50,
    private readonly feed = AVTALER_FEED,
  ) {}

  /**
   * Waits for something after the position, and gives the page that has it, or one without rows when the time is out: of
   * a poll that began after this was asked.
   *
   * @returns undefined when whoever asks must read for itself: the position lies before what is kept here, or can't be
   * used, the database does not answer, or the follower has gone
   * @throws Problem 429 when the consumer has as many followers as it may have, 503 when there are too many in all
   */
  async follow({ konsument, after, count, until, closed }: Following): Promise<TailPage | undefined> {
    if (this.stopped || closed.aborted || this.fresh?.isBefore(after)) return undefined;
    const { waitingReaders, lookups } = this.limits;
    if (this.waitingCount >= MAX_WAITING_READERS) {
      throw new Problem(PROBLEMS.UTILGJENGELIG, 'Too many wait for changes', { retryAfter: 5 });
    }
    const giveBack = waitingReaders.take(konsument);
    if (!giveBack) throw atOnceProblem(`${String(waitingReaders.max)} readers that wait`, 5);
    if (!this.paused.has(closed)) {
      // Who waits uses nothing that look-ups share. Nor does who is woken: all are at once, and would take all there is.
      this.paused.add(closed);
      closed.addEventListener('abort', lookups.pause(konsument), { once: true });
    }
    try {
      return await new Promise<TailPage | undefined>((resolve) => {
        const leave = (page?: TailPage): void => {
          clearTimeout(deadline);
          closed.removeEventListener('abort', hangUp);
          this.remove(after, follower);
          resolve(page);
        };
        const follower: Follower = { count, since: this.polls.begun, wake: leave };
        const hangUp = (): void => leave();
        const deadline = setTimeout(() => leave(this.latestFor(after, follower)), until - performance.now());
        closed.addEventListener('abort', hangUp);
        this.add(after, follower);
      });
    } finally {
      giveBack();
    }
  }

  /** Those who wait are let go with what there is. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    const all = [...this.waiting].flatMap(([after, followers]) => [...followers].map((one) => [after, one] as const));
    for (const [after, follower] of all) follower.wake(this.latestFor(after, follower));
  }

  private add(after: string, follower: Follower): void {
    this.waiting.set(after, (this.waiting.get(after) ?? new Set()).add(follower));
    this.waitingCount++;
    this.pollIn(this.fresh?.isAtEnd(after) ? this.intervalMs : MIN_GAP_MS);
  }

  private remove(after: string, follower: Follower): void {
    const followers = this.waiting.get(after);
    if (followers?.delete(follower)) this.waitingCount--;
    if (followers?.size === 0) this.waiting.delete(after);
  }

  /** @param gapMs after the beginning of the one before; one that is to come later comes then */
  private pollIn(gapMs: number): void {
    const { polls } = this;
    const soon = gapMs < this.intervalMs;
    if (this.stopped || (this.timer && (polls.soon || !soon))) return;
    polls.soon ||= soon;
    if (polls.underWay) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.poll(), Math.max(0, polls.begunAt + gapMs - performance.now()));
  }

  private async poll(): Promise<void> {
    const { polls } = this;
    this.timer = undefined;
    Object.assign(polls, { begun: polls.begun + 1, underWay: true, soon: false, begunAt: performance.now() });
    const nr = polls.begun;
    try {
      const hasMore = await this.read();
      polls.failed = false;
      polls.soon ||= hasMore;
    } catch (error) {
      polls.failed = true;
      logger.warn({ err: error }, 'The end of the change feed could not be read; trying again');
    }
    await this.wakeThoseBefore(nr);
    polls.underWay = false;
    if (this.waitingCount > 0) this.pollIn(polls.soon ? MIN_GAP_MS : this.intervalMs);
  }

  /** @returns whether there is more than one poll takes */
  private async read(): Promise<boolean> {
    const window = this.fresh;
    if (!window) {
      this.window = (await this.readFromLowest()) ?? (await this.readEnd());
      return false;
    }
    const { rows, updatedToMs } = await this.reader.read(changesQuery(window.end, POLL_ROWS, this.feed), {});
    const page = toChangesPage(rows);
    // Another server, or trimmed beyond what was read: what is kept does not go on where this begins.
    if (page.state.epoch !== window.state.epoch || isAfter(beginningOf(page.state), window.end)) {
      this.window = undefined;
      return this.read();
    }
    window.add(page, updatedToMs);
    return page.rows.length === POLL_ROWS;
  }

  /** All that come to a process that has just started are a little behind: so are they served together too. */
  private async readFromLowest(): Promise<FeedWindow | undefined> {
    const places = Array.from(this.waiting.keys(), (position) => parsePosition(position));
    const lowest = places.reduce((a, b) => (isAfter(a, b) ? b : a), places[0] ?? before(0n));
    const { rows, updatedToMs } = await this.reader.read(changesQuery(lowest, POLL_ROWS, this.feed), {});
    const page = toChangesPage(rows);
    // Without rows it may lie ahead of the feed: made up, or of another epoch.
    const { length } = page.rows;
    if (length === 0 || length === POLL_ROWS || isAfter(beginningOf(page.state), lowest)) return undefined;
    const window = new FeedWindow(page.state, lowest, updatedToMs);
    window.add(page, updatedToMs);
    return window;
  }

  private async readEnd(): Promise<FeedWindow> {
    const { rows, updatedToMs } = await this.reader.read(this.feed.end, {});
    const end = toFeedEnd(rows);
    return new FeedWindow(end, end.last ?? beginningOf(end), updatedToMs);
  }

  /** Those who came before the poll, and have what they wait for; in turns, so that they hold up nobody. */
  private async wakeThoseBefore(nr: number): Promise<void> {
    const woken: [Follower, TailPage | undefined][] = [];
    for (const [after, followers] of this.waiting) {
      const pages = new Map<number, TailPage | 'nothing' | undefined>();
      for (const follower of followers) {
        if (follower.since >= nr) continue;
        // It has been told nothing yet, and is told so by what it reads itself.
        if (this.polls.failed && follower.since === nr - 1) woken.push([follower, undefined]);
        if (this.polls.failed) continue;
        const { count } = follower;
        if (!pages.has(count)) pages.set(count, this.window?.pageAfter(after, count));
        const page = pages.get(count);
        if (page !== 'nothing') woken.push([follower, page]);
      }
    }
    for (const [i, [follower, page]] of woken.entries()) {
      if (i > 0 && i % WOKEN_AT_ONCE === 0) await nextTurn();
      follower.wake(page);
    }
  }

  /** What the last poll has for it, which may be nothing, when that was after the follower came. */
  private latestFor(after: string, { since, count }: Follower): TailPage | undefined {
    const { begun, underWay, failed } = this.polls;
    const latest = underWay ? begun - 1 : begun;
    if (failed || latest <= since) return undefined;
    const page = this.window?.pageAfter(after, count);
    return page === 'nothing' ? this.window?.empty() : page;
  }

  private get fresh(): FeedWindow | undefined {
    const { window } = this;
    return window && performance.now() - window.readAt < LINGER_MS ? window : undefined;
  }
}
