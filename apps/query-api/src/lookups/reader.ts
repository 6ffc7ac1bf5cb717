import { createHash } from 'node:crypto';
import { isTransient } from '@tiltak/database';
import { PROBLEMS, logger, Problem } from '@tiltak/platform';
import type { Pool, QueryResultRow } from 'pg';
import { metrics } from '../metrics.ts';

/** A statement with its name, under which the database keeps it prepared; without one it is prepared each time. */
export interface Statement {
  name?: string;
  text: string;
}

/** What a connection has prepared, it keeps, and there is no end of choices that consumers can make. */
const MAX_CHOSEN_STATEMENTS = 300;
const fixed = new Map<string, Statement>();
const chosen = new Map<string, Statement>();

/** The same text always has the same name: a connection prepares it once. There are as many as kinds of searches. */
export function preparedStatement(text: string): Statement {
  return fixed.get(text) ?? remember(fixed, text);
}

/** A statement whose columns a consumer has chosen: the first few hundred are prepared. */
export function chosenStatement(text: string): Statement {
  return chosen.get(text) ?? (chosen.size < MAX_CHOSEN_STATEMENTS ? remember(chosen, text) : { text });
}

function remember(queries: Map<string, Statement>, text: string): Statement {
  const incoming = { name: createHash('sha256').update(text).digest('base64url'), text };
  queries.set(text, incoming);
  return incoming;
}

/**
 * Everything a consumer is answered is read through here: prepared statements on a bounded pool, each value as Postgres
 * writes it (a `Date` would lose the microseconds).
 */
export class Reader {
  constructor(
    private readonly pool: Pool,
    /** callers that may wait for a connection before the rest are turned away */
    private readonly maxPending: number,
  ) {}

  /** @throws Problem 503 when the database is away, too slow or fully occupied */
  async query<T extends QueryResultRow>(preparedStatement: Statement, values: unknown[]): Promise<T[]> {
    if (this.pool.waitingCount >= this.maxPending) throw unavailable('The service is fully occupied');
    try {
      const { rows } = await this.pool.query<T>({ ...preparedStatement, values, types: RAW_TEXT });
      return rows;
    } catch (error) {
      if (!isTransient(error)) throw error;
      metrics.databaseError.inc();
      logger.warn({ err: error }, 'The database could not answer');
      throw unavailable('The database could not answer in time', error);
    }
  }
}

/** Numbers and booleans as such, all else as text. */
const NUMBER = new Set([20, 21, 23, 700, 701]);
const BOOLEAN = 16;
const RAW_TEXT = {
  getTypeParser: (oid: number) => {
    const kind = jsonTypeOf(oid);
    return (value: string) => (kind === 'tall' ? Number(value) : kind === 'boolsk' ? value === 't' : value);
  },
};

/** What JSON calls the values of a type of the database. */
export function jsonTypeOf(oid: number): 'tall' | 'boolsk' | 'tekst' {
  return NUMBER.has(oid) ? 'tall' : oid === BOOLEAN ? 'boolsk' : 'tekst';
}

export function unavailable(detail: string, cause?: unknown): Problem {
  return new Problem(PROBLEMS.UTILGJENGELIG, detail, { retryAfter: 2, cause });
}
