import { setTimeout as wait } from 'node:timers/promises';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { epochsOf, SNAPSHOT, toSnapshot } from '../changes/changes.queries.ts';
import { decodePosition, gone, parsePosition, type FeedPosition } from '../changes/feed-position.ts';

/** The request header with a position of the change feed that an answer must have come to. */
export const AT_LEAST_HEADER = 'Minst-Posisjon';

/** A replica is behind by so little as a rule that waiting for it costs less than asking again. */
const MAX_WAIT_MS = 2_000;
const PAUSE_MS = 50;

type NotReached = 'BEHIND' | 'OTHER_EPOCH';

/**
 * What is read once this database holds all that the change feed told up to the position: whoever has it from another may
 * be ahead of this one.
 *
 * @param attempt says what is missing when the database has not come so far
 * @throws Problem 503 when it is not there in time, 410 when it is of another history than the position
 */
export async function untilReached<T>(attempt: () => Promise<T | NotReached>): Promise<T> {
  const deadline = Date.now() + MAX_WAIT_MS;
  for (;;) {
    const outcome = await attempt();
    if (outcome !== 'BEHIND' && outcome !== 'OTHER_EPOCH') return outcome;
    if (Date.now() >= deadline) throw outcome === 'BEHIND' ? behind() : gone('from another epoch of the feed');
    // Another epoch too: who follows a new primary hears of it a moment later.
    await wait(PAUSE_MS);
  }
}

/**
 * The query's rows, from a snapshot that is looked at first.
 *
 * @param connect to another server than the last time, when there is one
 * @param prepare the session
 * @throws Problem 400 for a position that is made up; what a parser of the query throws
 */
export async function queryAtLeast<Row extends QueryResultRow>(
  connect: () => Promise<PoolClient>,
  query: QueryConfig,
  position: string,
  prepare: (db: PoolClient) => Promise<void> = () => Promise.resolve(),
): Promise<Row[] | NotReached> {
  parsePosition(position, AT_LEAST_HEADER);
  const db = await connect();
  try {
    await prepare(db);
    await db.query('begin isolation level repeatable read read only');
    const { epoch, xmin } = toSnapshot((await db.query<{ epoke: string; xmin: string }>(SNAPSHOT.statement)).rows);
    const place = placeIn(epoch, position);
    const isReached = place !== undefined && place.tx < xmin;
    const rows = isReached ? (await db.query<Row>(query)).rows : undefined;
    await db.query('commit');
    db.release();
    return rows ?? (place ? 'BEHIND' : 'OTHER_EPOCH');
  } catch (error) {
    // A refusal leaves the connection whole; after anything else nobody knows what may still come on it.
    const isWhole = error instanceof Problem && (await isRolledBack(db));
    db.release(!isWhole);
    throw error;
  }
}

/** Of whichever feed it is: all of them tell of the same transactions. */
function placeIn(epoch: string, position: string): FeedPosition | undefined {
  for (const ofFeed of epochsOf(epoch)) {
    const place = decodePosition(ofFeed, position, AT_LEAST_HEADER);
    if (place) return place;
  }
  return undefined;
}

async function isRolledBack(db: PoolClient): Promise<boolean> {
  try {
    await db.query('rollback');
    return true;
  } catch {
    return false;
  }
}

function behind(): Problem {
  const detail = `This replica of the database has not come to the position in ${AT_LEAST_HEADER} yet`;
  return new Problem(PROBLEMS.UTILGJENGELIG, detail, { retryAfter: 1 });
}
