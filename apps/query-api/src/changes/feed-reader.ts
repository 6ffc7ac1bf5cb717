import type { FastifyReply } from 'fastify';
import type { Grant } from '../access/grant.ts';
import type { Run } from '../lookups/lookups.ts';
import {
  beginningOf,
  changesQuery,
  toChangesPage,
  toFeedEnd,
  toPosition,
  type ChangeRow,
  type ChangesPage,
  type Feed,
  type FeedEnd,
  type FeedState,
} from './changes.queries.ts';
import { decodePosition, encodePosition, gone, isAfter, parsePosition, type FeedPosition } from './feed-position.ts';
import type { FeedTail } from './feed-tail.ts';
import type { TailPage } from './feed-window.ts';

/** Reads a change feed for those who ask, and waits with those who wait. @typeParam Answer what is made of a page */
export class FeedReader<Answer> {
  constructor(
    private readonly feed: Feed,
    private readonly feedTail: FeedTail,
  ) {}

  /** Of a page that many are given: worked out once. */
  private readonly shared = new WeakMap<TailPage, Found<Answer>>();

  /**
   * What is answered is read after the wait, all of it: meanwhile the feed may have been trimmed, or another server have
   * taken over.
   */
  async find(
    run: Run,
    grant: Grant,
    { after, fromNow, count, waitSeconds }: Question,
    closed: AbortSignal,
  ): Promise<Found<Answer>> {
    if (fromNow) return foundNow<Answer>(toFeedEnd(await run(this.feed.end)));
    const query = changesQuery(after === undefined ? undefined : parsePosition(after), count, this.feed);
    const read = async (): Promise<Found<Answer>> => foundIn<Answer>(this.feed, toChangesPage(await run(query)), after);
    if (waitSeconds === 0) return read();
    const { konsument, atLeast } = grant;
    const until = performance.now() + waitSeconds * 1_000;
    const follow = async (position: string): Promise<Found<Answer> | undefined> => {
      const page = await this.feedTail.follow({ konsument, after: position, count, until, closed });
      // Only a statement of its own can tell that the server has come so far.
      if (!page || atLeast !== undefined) return undefined;
      grant.moment.startOver();
      grant.moment.include(page.updatedToMs, this.feed.changes.text);
      return this.sharedOf(page, position);
    };
    const followed = after === undefined || atLeast !== undefined ? undefined : await follow(after);
    if (followed) return followed;
    const found = await read();
    if (found.rows.length > 0 || closed.aborted) return found;
    const later = await follow(found.position);
    if (later) return later;
    grant.moment.startOver();
    return read();
  }

  private sharedOf(page: TailPage, position: string): Found<Answer> {
    const found = this.shared.get(page) ?? foundIn<Answer>(this.feed, page, position);
    this.shared.set(page, found);
    return found;
  }
}

export interface Question {
  after: string | undefined;
  fromNow: boolean;
  count: number;
  waitSeconds: number;
}

export interface Found<Answer> {
  rows: ChangeRow[];
  /** where the page begins and ends */
  from: string;
  position: string;
  /** once it is made */
  answer?: Promise<Answer>;
}

/** The end of the feed, as a reader who has read all of it has it. */
function foundNow<Answer>({ last, ...state }: FeedEnd): Found<Answer> {
  const position = encodePosition(state.epoch, last ?? beginningOf(state));
  return { rows: [], from: position, position };
}

/** @throws Problem 410 when what follows the position may be gone */
function foundIn<Answer>(feed: Feed, { state, rows }: ChangesPage, after: string | undefined): Found<Answer> {
  const start = resolveStart(feed, state, after);
  const from = encodePosition(state.epoch, start);
  const last = rows.at(-1);
  return { rows, from, position: last ? encodePosition(state.epoch, toPosition(last)) : from };
}

/** @throws Problem 410 when what follows the position may be gone */
function resolveStart({ start }: Feed, state: FeedState, after: string | undefined): FeedPosition {
  const beginning = beginningOf(state);
  if (after === undefined) return beginning;
  const position = decodePosition(state.epoch, after);
  if (position && !isAfter(beginning, position)) return position;
  throw gone(position ? 'too old' : 'from another epoch of the feed', start);
}

/** Of the response: when it is given, and when a reader hangs up, which has no need of it. */
export function closing({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  if (raw.closed) abort.abort();
  else raw.once('close', () => abort.abort());
  return abort.signal;
}
