import { setTimeout as wait } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Pieces } from '../../background/give-way.ts';
import type { ToldType } from '../../ingest/told.ts';
import {
  haveEnded,
  readFeedStart,
  readLastBegun,
  readLastTold,
  readToldOtherwise,
  readUntold,
  recordTold,
  recordToldNow,
  type FeedColumns,
  type FeedPlace,
} from './feed-check.queries.ts';

const WAIT_MS = 200;

/** A change feed, and who may add to it. */
export interface CheckedFeed {
  columns: FeedColumns;
  /** As `ResourceWriter.tell`. */
  tell: (
    keys: readonly string[],
    readTold: (db: PoolClient) => Promise<ReadonlyMap<string, ToldType>>,
    record: (db: PoolClient, count: number) => Promise<void>,
  ) => Promise<void>;
}

/**
 * Whoever follows the feed is to have what the table has (ADR 74). What it last says of each key is noted, line by line from
 * where it begins; then that is held against the rows, one key after the other, and what it lacks is told of while nobody
 * else writes. Rows that somebody has changed by hand have no lines, and what comes after that may have none either.
 *
 * A transaction that is open holds back the lines of all that began after it: what was told until now is waited for, or
 * what these alone tell of would be passed by. Begun again, it begins from the start, and comes to the same.
 *
 * @returns false when it was broken off: by the signal, or since `isOver`
 */
export async function checkFeed(
  pool: Pool,
  id: string,
  { columns, tell }: CheckedFeed,
  { pieces, isOver, signal }: { pieces: Pieces; isOver: () => Promise<boolean>; signal: AbortSignal },
): Promise<boolean> {
  const until = await readLastBegun(pool);
  while (!(await haveEnded(pool, until))) {
    if (signal.aborted || (await isOver())) return false;
    await wait(WAIT_MS, undefined, { signal }).catch(() => undefined);
  }
  let after = await readFeedStart(pool, columns);
  for (const readPage of [readToldOtherwise, readUntold]) {
    for (let last: string | undefined, isMore = true; isMore;) {
      const caughtUp = await catchUp(pool, id, columns, { after, pieces, signal });
      if (!caughtUp || (await isOver())) return false;
      after = caughtUp;
      const page = await pieces.take((count) => readPage(pool, id, columns, { after: last, count }));
      await pieces.each(page.differing, (keys) =>
        tell(
          keys,
          (db) => readLastTold(db, id, columns, { keys, after: caughtUp }),
          (db, count) => recordToldNow(db, id, count),
        ),
      );
      last = page.last;
      isMore = last !== undefined;
    }
  }
  return true;
}

/** All lines that may be read by now. @returns the last of them; undefined when it was broken off */
async function catchUp(
  pool: Pool,
  id: string,
  columns: FeedColumns,
  { after, pieces, signal }: { after: FeedPlace; pieces: Pieces; signal: AbortSignal },
): Promise<FeedPlace | undefined> {
  for (let place = after; !signal.aborted;) {
    const from = place;
    const read = await pieces.take((count) => recordTold(pool, id, columns, { after: from, count }));
    place = read.place;
    if (!read.isMore) return place;
  }
  return undefined;
}
