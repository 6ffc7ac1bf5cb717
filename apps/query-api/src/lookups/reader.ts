import { isTransient, type DeltakerId } from '@tiltak/database';
import { PROBLEMS, logger, Problem, type PoolStats } from '@tiltak/platform';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { momentSqlFor } from '../freshness/moment.sql.ts';
import { metrics } from '../metrics.ts';
import { SpreadPool } from '../replicas/spread-pool.ts';
import { queryAtLeast, untilReached } from './at-least.ts';
import type { AuditRow } from './audit-row.ts';
import { FairQueue, NoPlaceError } from './fair-queue.ts';
import type { CountValue } from './held-rows.ts';
import { KeptPlans } from './kept-plans.ts';
import { SharedReading } from './shared-reading.ts';
import { Persons, type Query, type Statement } from './statement.ts';
import { convert, jsonTypeOf } from './values.ts';

export { jsonTypeOf, type JsonType } from './values.ts';

/** As long as a new connection may take. */
const MAX_WAIT_MS = 2_000;

/**
 * Everything a consumer is answered is read through here: prepared statements on a bounded pool, each value as Postgres
 * writes it (a `Date` would lose the microseconds).
 */
export class Reader {
  private readonly queue: FairQueue;
  private readonly shared: SharedReading;
  /** what was last set in the session of each connection */
  private readonly plans = new WeakMap<PoolClient, Plans>();
  private readonly kept = new KeptPlans();

  constructor(
    private readonly pool: Pool | SpreadPool,
    private readonly deltakerId: DeltakerId,
    private readonly options: ReaderOptions,
  ) {
    const { maxWaitMs = MAX_WAIT_MS } = options;
    this.queue = new FairQueue(pool.options.max, maxWaitMs);
    this.shared = new SharedReading({
      inTurn: (who, work) => this.queue.run(who, () => this.onSession('generic', work)),
      maxEach: this.queue.maxEach,
      maxWaitMs,
      isLost: (db, error) => this.isLost(db, error),
      tooLong: occupied,
      asUnavailable,
    });
  }

  /** The ids of one request: each is worked out once, however often it is used. */
  rememberIds(): DeltakerId {
    const known = new Map<string, string>();
    return (ident) => {
      const id = known.get(ident) ?? this.deltakerId(ident);
      known.set(ident, id);
      return id;
    };
  }

  /**
   * As `read`, in one statement with the look-ups of the same text that come while such a one is under way; and with the
   * audit, when it is given, which is then committed with it. What the database refuses is read as alone, without the
   * audit: then it is seen which of them it refused.
   *
   * @throws as `query`
   */
  async readShared<Row extends QueryResultRow>(
    query: Query<Row>,
    terms: ReadTerms,
    told: Told = {},
  ): Promise<Reading<Row> & { isAudited: boolean }> {
    const { keys, statement } = query;
    if (keys && keys.maxShared > 1 && terms.atLeast === undefined) {
      if (this.waitingCount >= this.options.maxWaiting) throw occupied();
      const { who = '', count = () => undefined } = terms;
      const values = asStored(query.values, terms.deltakerId ?? this.deltakerId);
      const audit = this.options.isAuditDatabase ? await told.audit?.() : undefined;
      const reading = await this.shared.read<Row>({ statement, keys }, { who, values, count, size: told.size, audit });
      if (reading) return reading;
    }
    return { ...(await this.read(query, terms)), isAudited: false };
  }

  /**
   * With the moment up to which everything is included in the rows, from the same snapshot.
   *
   * @throws as `query`
   */
  async read<Row extends QueryResultRow>(
    { statement, values, keys }: Query<Row>,
    terms: ReadTerms,
  ): Promise<Reading<Row>> {
    const rows = await this.query<Row & MomentRow>({ statement: withMoment(statement), values, keys }, terms);
    const [first] = rows;
    if (!first) throw new Error('A left join gives one row at least');
    return { rows: first.row_found === true ? rows : [], updatedToMs: first.answer_moment };
  }

  /**
   * @throws Problem 503 when the database is away, too slow, fully occupied or not come so far; 410 when it is of another
   * history than the position
   */
  async query<Row extends QueryResultRow>(
    { statement, values, keys }: Query<Row>,
    terms: ReadTerms = {},
  ): Promise<Row[]> {
    const { who = '', atLeast, count = () => undefined, deltakerId = this.deltakerId } = terms;
    const query = { ...statement, values: asStored(values, deltakerId), types: asWritten(count) };
    const plans = keys ? 'generic' : 'auto';
    if (atLeast !== undefined) {
      const prepare = (db: PoolClient): Promise<void> => this.plan(db, plans);
      const connect = this.connectElsewhere();
      return untilReached(() => this.inTurn(who, () => queryAtLeast<Row>(connect, query, atLeast, prepare)));
    }
    return this.inTurn(who, () => this.onAnySession(plans, async (db) => (await db.query<Row>(query)).rows));
  }

  /**
   * Whether the database answers, asked in turn with all that is read: work that holds every connection is no sign that it
   * does not.
   *
   * @throws when it does not
   */
  async ping(): Promise<void> {
    await this.queue.run('', () => this.onAnySession('generic', (db) => db.query('select 1')));
  }

  /** Each time to another replica, as long as there are any. */
  private connectElsewhere(): () => Promise<PoolClient> {
    const { pool } = this;
    if (!(pool instanceof SpreadPool)) return () => pool.connect();
    const tried = new Set<string>();
    return async () => {
      const db = await pool.connect(tried);
      const home = pool.homeOf(db);
      if (home) tried.add(home.name);
      return db;
    };
  }

  /** @returns whether another server may answer what failed on this one */
  private isLost(db: PoolClient, error: unknown): boolean {
    return this.pool instanceof SpreadPool && this.pool.isLost(db, error);
  }

  /** As `onSession`; what one replica did not live to answer, another is asked. */
  private async onAnySession<T>(plans: Plans, work: (db: PoolClient) => Promise<T>): Promise<T> {
    let lost = false;
    const noting = async (db: PoolClient): Promise<T> => {
      try {
        return await work(db);
      } catch (error) {
        lost = this.isLost(db, error);
        throw error;
      }
    };
    try {
      return await this.onSession(plans, noting);
    } catch (error) {
      if (!lost) throw error;
      return this.onSession(plans, work);
    }
  }

  /** On a connection whose session plans so. One that failed is not used again. */
  private async onSession<T>(plans: Plans, work: (db: PoolClient) => Promise<T>): Promise<T> {
    const db = await this.pool.connect();
    try {
      await this.plan(db, plans);
      const result = await work(db);
      db.release();
      return result;
    } catch (error) {
      db.release(true);
      throw error;
    }
  }

  private async plan(db: PoolClient, plans: Plans): Promise<void> {
    // A pooler gives each transaction another session. There the database finds out by itself, after a few times.
    if (this.options.isPooled) return;
    await this.kept.refresh(db);
    if ((this.plans.get(db) ?? 'auto') === plans) return;
    await db.query(SET_PLANS[plans]);
    this.plans.set(db, plans);
  }

  private async inTurn<T>(who: string, work: () => Promise<T>): Promise<T> {
    if (this.waitingCount >= this.options.maxWaiting) throw occupied();
    try {
      return await this.queue.run(who, work);
    } catch (error) {
      throw error instanceof NoPlaceError ? occupied() : asUnavailable(error);
    }
  }

  private get waitingCount(): number {
    return this.queue.waitingCount + this.shared.waitingCount;
  }

  /** Of the pool, and of those who wait for their turn before it. */
  get stats(): PoolStats {
    const { pool } = this;
    const waitingCount = (): number => this.waitingCount;
    return {
      get totalCount() {
        return pool.totalCount;
      },
      get idleCount() {
        return pool.idleCount;
      },
      get waitingCount() {
        return pool.waitingCount + waitingCount();
      },
    };
  }
}

export interface ReaderOptions {
  /** callers that may wait for a connection before the rest are turned away */
  maxWaiting: number;
  /** the longest that one of them waits, ms */
  maxWaitMs?: number;
  /** a pooler in transaction mode is in front: nothing can be set in a session */
  isPooled?: boolean;
  /** the audit is written to the same database */
  isAuditDatabase?: boolean;
}

/** What is told of a look-up. */
export interface Told {
  /** rows, when it is a page: one more is read */
  size?: number | undefined;
  /** what is written of it, beside what it finds */
  audit?: () => Promise<AuditRow>;
}

/** How a session makes plans: for the values of each time where that is cheaper, or one for all. */
type Plans = 'auto' | 'generic';

/** What is read in the order of an index up to a limit must not be found whole and sorted, however little that seems to be. */
export const KEYED_PLANS = 'set plan_cache_mode = force_generic_plan; set jit = off; set enable_bitmapscan = off';

const SET_PLANS: Readonly<Record<Plans, string>> = {
  auto: 'set plan_cache_mode = auto; set jit = default; set enable_bitmapscan = default',
  generic: KEYED_PLANS,
};

/** How something is read. */
export interface ReadTerms {
  /** shares the connections with others: the consumer, or this app */
  who?: string | undefined;
  /** position of the change feed that the answer must have come to */
  atLeast?: string | undefined;
  /** is told of each value; what it throws ends the reading */
  count?: CountValue;
  /** of the request, which may know some already */
  deltakerId?: DeltakerId;
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
export function withMoment(statement: Statement): Statement {
  const known = momentStatements.get(statement);
  if (known) return known;
  const { name, text } = statement;
  const made = {
    ...(name !== undefined && { name: `m${name}` }),
    text: `select moment.*, svar.* from (select ${momentSqlFor(text)} as answer_moment) moment
      left join (select true as row_found, rad.* from (${text}) rad) svar on true`,
  };
  momentStatements.set(statement, made);
  return made;
}
const momentStatements = new WeakMap<Statement, Statement>();

/** The values as the database has them. */
export function asStored(values: readonly unknown[], deltakerId: DeltakerId): unknown[] {
  return values.map((value) => (value instanceof Persons ? value.idents.map(deltakerId) : value));
}

/** What a parser throws fails the query, and leaves its connection whole. */
function asWritten(count: CountValue): { getTypeParser: (oid: number) => (value: string) => unknown } {
  return {
    getTypeParser: (oid) => {
      const type = jsonTypeOf(oid);
      return (value) => {
        count(value.length);
        return convert(type, value);
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
