import { isTransient, type DeltakerId } from '@tiltak/database';
import { PROBLEMS, logger, Problem, type PoolStats } from '@tiltak/platform';
import type { Pool, QueryResultRow } from 'pg';
import { MOMENT_SQL } from '../freshness/moment.sql.ts';
import { metrics } from '../metrics.ts';
import { queryAtLeast, untilReached } from './at-least.ts';
import { FairQueue, NoPlaceError } from './fair-queue.ts';
import type { CountValue } from './held-rows.ts';
import { Persons, type Query, type Statement } from './statement.ts';

/** As long as a new connection may take. */
const MAX_WAIT_MS = 2_000;

/**
 * Everything a consumer is answered is read through here: prepared statements on a bounded pool, each value as Postgres
 * writes it (a `Date` would lose the microseconds).
 */
export class Reader {
  private readonly queue: FairQueue;

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
    /** callers that may wait for a connection before the rest are turned away */
    private readonly maxWaiting: number,
    /** the longest that one of them waits */
    maxWaitMs = MAX_WAIT_MS,
  ) {
    this.queue = new FairQueue(pool.options.max, maxWaitMs);
  }

  /**
   * With the moment up to which everything is included in the rows, from the same snapshot.
   *
   * @throws as `query`
   */
  async read<Row extends QueryResultRow>({ statement, values }: Query<Row>, terms: ReadTerms): Promise<Reading<Row>> {
    const rows = await this.query<Row & MomentRow>({ statement: withMoment(statement), values }, terms);
    const [first] = rows;
    if (!first) throw new Error('A left join gives one row at least');
    return { rows: first.row_found === true ? rows : [], updatedToMs: first.answer_moment };
  }

  /**
   * @throws Problem 503 when the database is away, too slow, fully occupied or not come so far; 410 when it is of another
   * history than the position
   */
  async query<Row extends QueryResultRow>({ statement, values }: Query<Row>, terms: ReadTerms = {}): Promise<Row[]> {
    const { who = '', atLeast, count = () => undefined } = terms;
    const query = { ...statement, values: asStored(values, this.deltakerId), types: asWritten(count) };
    if (atLeast !== undefined) {
      return untilReached(() => this.inTurn(who, () => queryAtLeast<Row>(this.pool, query, atLeast)));
    }
    return this.inTurn(who, async () => (await this.pool.query<Row>(query)).rows);
  }

  private async inTurn<T>(who: string, work: () => Promise<T>): Promise<T> {
    if (this.queue.waitingCount >= this.maxWaiting) throw occupied();
    try {
      return await this.queue.run(who, work);
    } catch (error) {
      throw error instanceof NoPlaceError ? occupied() : asUnavailable(error);
    }
  }

  /** Of the pool, and of those who wait for their turn before it. */
  get stats(): PoolStats {
    const { pool, queue } = this;
    return {
      get totalCount() {
        return pool.totalCount;
      },
      get idleCount() {
        return pool.idleCount;
      },
      get waitingCount() {
        return pool.waitingCount + queue.waitingCount;
      },
    };
  }
}

/** How something is read. */
export interface ReadTerms {
  /** shares the connections with others: the consumer, or this app */
  who?: string | undefined;
  /** position of the change feed that the answer must have come to */
  atLeast?: string | undefined;
  /** is told of each value; what it throws ends the reading */
  count?: CountValue;
}

export interface Reading<Row> {
  rows: Row[];
  /** ms since 1970; null before the first load is done */
  updatedToMs: number | null;
}

interface MomentRow extends QueryResultRow {
  answer_moment: number | null;
  /** null when the statement itself gives no row */
  row_found: boolean | null;
}

/** The statement with the moment before its own columns; one row of nothing else when it gives none. */
export function withMoment({ name, text }: Statement): Statement {
  return {
    ...(name !== undefined && { name: `m${name}` }),
    text: `select moment.*, svar.* from (select ${MOMENT_SQL} as answer_moment) moment
      left join (select true as row_found, rad.* from (${text}) rad) svar on true`,
  };
}

/** The values as the database has them. */
export function asStored(values: readonly unknown[], deltakerId: DeltakerId): unknown[] {
  return values.map((value) => (value instanceof Persons ? value.idents.map(deltakerId) : value));
}

/** What JSON calls the values of a type of the database. */
export type JsonType = 'number' | 'boolean' | 'string';

const NUMBERS = new Set([20, 21, 23, 700, 701]);
const BOOLEAN = 16;

export function jsonTypeOf(oid: number): JsonType {
  return NUMBERS.has(oid) ? 'number' : oid === BOOLEAN ? 'boolean' : 'string';
}

/** Numbers and booleans as such, all else as text. What a parser throws fails the query, and leaves its connection whole. */
function asWritten(count: CountValue): { getTypeParser: (oid: number) => (value: string) => unknown } {
  return {
    getTypeParser: (oid) => {
      const type = jsonTypeOf(oid);
      return (value) => {
        count(value.length);
        return type === 'number' ? Number(value) : type === 'boolean' ? value === 't' : value;
      };
    },
  };
}

/** What a caller is told when the database is away or too slow, counted and logged; any other error as it is. */
export function asUnavailable(error: unknown): unknown {
  if (!isTransient(error)) return error;
  metrics.databaseErrors.inc();
  logger.warn({ err: error }, 'The database could not answer');
  return unavailable('The database could not answer in time', error);
}

function occupied(): Problem {
  return unavailable('The service is fully occupied');
}

export function unavailable(detail: string, cause?: unknown): Problem {
  return new Problem(PROBLEMS.UTILGJENGELIG, detail, { retryAfter: 2, cause });
}
