import { isTransient, type DeltakerId } from '@tiltak/database';
import { PROBLEMS, logger, Problem, type PoolStats } from '@tiltak/platform';
import type { Pool, QueryResultRow } from 'pg';
import { metrics } from '../metrics.ts';
import { FairQueue, NoPlaceError } from './fair-queue.ts';
import type { CountValue } from './held-rows.ts';
import { Persons, type Query } from './statement.ts';

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
   * @param who shares the connections with others: the consumer, or this app
   * @param count is told of each value; what it throws ends the reading
   * @throws Problem 503 when the database is away, too slow or fully occupied
   */
  async query<Row extends QueryResultRow>(
    { statement, values }: Query<Row>,
    who = '',
    count: CountValue = () => undefined,
  ): Promise<Row[]> {
    if (this.queue.waitingCount >= this.maxWaiting) throw occupied();
    try {
      const { rows } = await this.queue.run(who, () =>
        this.pool.query<Row>({ ...statement, values: asStored(values, this.deltakerId), types: asWritten(count) }),
      );
      return rows;
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
