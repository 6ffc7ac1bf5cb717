import { isTransient } from '@tiltak/database';
import { DatabaseError, type PoolClient, type QueryResultRow } from 'pg';
import type { AuditRow } from './audit-row.ts';
import { Groups } from './groups.ts';
import type { CountValue } from './held-rows.ts';
import type { Reading } from './reader.ts';
import { NO_PAGE, sharedStatement, type SharedStatement } from './shared-statement.ts';
import type { Keys, Statement } from './statement.ts';
import { convert, jsonTypeOf } from './values.ts';

/** A look-up that may share a statement. */
export interface SharedRequest {
  who: string;
  /** as the database has them */
  values: readonly unknown[];
  /** rows that are told of, when it is a page: one more is read */
  size?: number | undefined;
  /** what is written of it, beside what it finds */
  audit?: AuditRow | undefined;
  count: CountValue;
}

/** undefined: refused by the database, alone */
type Outcome = (Reading<QueryResultRow> & { isAudited: boolean }) | 'FAILED_TOGETHER' | undefined;

interface Member extends SharedRequest {
  shared: SharedStatement;
  /** it is read again, by itself */
  isLast: boolean;
  done: (outcome: Outcome) => void;
  giveUp: (error: unknown) => void;
}

export interface SharedReadingOptions {
  /** Does the work on a connection whose plans are kept, when there is a place for the caller. */
  inTurn: (who: string, work: (db: PoolClient) => Promise<void>) => Promise<void>;
  maxEach: number;
  maxWaitMs: number;
  /** whether another server may answer what failed on this connection */
  isLost?: (db: PoolClient, error: unknown) => boolean;
  tooLong: () => Error;
  asUnavailable: (error: unknown) => unknown;
}

/**
 * Reads look-ups of the same statement together. A group's statement is one transaction, which writes the audit of each
 * too; nobody is told anything before it is committed.
 */
export class SharedReading {
  private readonly statements = new WeakMap<Statement, Record<'read' | 'audited', SharedStatement | undefined>>();
  private readonly groups: Groups<Member, PoolClient>;
  private aloneCount = 0;

  constructor(private readonly options: SharedReadingOptions) {
    const { maxEach, maxWaitMs, tooLong, inTurn } = options;
    this.groups = new Groups({ maxEach, maxWaitMs, tooLong, inTurn, handle: (group, db) => this.handle(group, db) });
  }

  get waitingCount(): number {
    return this.groups.waitingCount;
  }

  /**
   * When the statement fails for several, each is read by one of its own: whoever it was then fails alone. So is one whose
   * replica is gone, which another may answer.
   *
   * @returns undefined when the database refuses it, whether that is the reading or the audit
   * @throws what `asUnavailable` makes of a database that is away or too slow
   */
  async read<Row extends QueryResultRow>(
    { statement, keys }: { statement: Statement; keys: Keys },
    request: SharedRequest,
  ): Promise<(Reading<Row> & { isAudited: boolean }) | undefined> {
    const shared = this.statementFor(statement, keys, request.audit !== undefined);
    const { text } = shared.statement;
    let outcome = await this.inGroup(text, keys.maxShared, { ...request, shared, isLast: false });
    if (outcome === 'FAILED_TOGETHER') {
      outcome = await this.inGroup(`${String(this.aloneCount++)} ${text}`, 1, { ...request, shared, isLast: true });
    }
    return outcome as Reading<Row> & { isAudited: boolean };
  }

  private inGroup(
    kind: string,
    max: number,
    request: SharedRequest & Pick<Member, 'shared' | 'isLast'>,
  ): Promise<Outcome> {
    return new Promise((done, reject) => {
      const giveUp = (error: unknown): void => reject(this.options.asUnavailable(error));
      this.groups.add(kind, max, { ...request, done, giveUp });
    });
  }

  private statementFor(statement: Statement, { types }: Keys, isAudited: boolean): SharedStatement {
    const known = this.statements.get(statement) ?? { read: undefined, audited: undefined };
    this.statements.set(statement, known);
    return (known[isAudited ? 'audited' : 'read'] ??= sharedStatement(statement, types, isAudited));
  }

  private async handle(group: readonly Member[], db: PoolClient): Promise<void> {
    try {
      await readGroup(group, db);
    } catch (error) {
      const isLost = this.options.isLost?.(db, error) === true;
      for (const { done, giveUp, isLast } of group) {
        if (group.length > 1 || (isLost && !isLast)) done('FAILED_TOGETHER');
        else if (isTransient(error) && !isOfWriting(error)) giveUp(error);
        else done(undefined);
      }
      throw error;
    }
  }
}

/**
 * Disk full, read-only, a lock: it may be read, and not written. Then the audit's own way finds that out, and tells those who
 * ask whether look-ups can be answered.
 */
function isOfWriting(error: unknown): boolean {
  return error instanceof DatabaseError && /^(53[12]00|25006|55P03)$/.test(error.code ?? '');
}

async function readGroup(group: readonly Member[], db: PoolClient): Promise<void> {
  const [first] = group;
  if (!first) return;
  const { statement, valuesOf } = first.shared;
  const counted = new CountedRows(group);
  const lookups = group.map(({ values, size = NO_PAGE, audit }) => ({ values, size, audit }));
  const { rows } = await db.query<SharedRow>({ ...statement, values: valuesOf(lookups), types: counted });
  const found = group.map((): SharedRow[] => []);
  for (const row of rows) {
    // One row without a look-up stands for none at all.
    if (row.oppslag !== null) placed(found, row.oppslag)[row.row_place - 1] = row;
  }
  const updatedToMs = rows[0]?.answer_moment ?? null;
  group.forEach(({ audit, done, giveUp }, i) => {
    const error = counted.errors.get(i + 1);
    if (error === undefined) done({ rows: placed(found, i + 1), updatedToMs, isAudited: audit !== undefined });
    else giveUp(error);
  });
}

interface SharedRow extends QueryResultRow {
  answer_moment: number | null;
  /** the number of its look-up, from 1 */
  oppslag: number | null;
  row_place: number;
}

/** A row that bears another number than those that were given would be somebody else's. */
function placed(found: readonly SharedRow[][], lookup: number): SharedRow[] {
  const rows = found[lookup - 1];
  if (!rows) throw new Error('A row belongs to no look-up');
  return rows;
}

/** Reads values as the reader does, and counts those of a row for the look-up whose number comes before them. */
class CountedRows {
  /** by the number of the look-up: of those that have read too much */
  readonly errors = new Map<number, unknown>();
  private columnCount = 0;
  private lookup = 0;

  constructor(private readonly group: readonly Member[]) {}

  getTypeParser = (oid: number): ((value: string) => unknown) => {
    const type = jsonTypeOf(oid);
    const column = this.columnCount++;
    if (column === MOMENT_COLUMN) return Number;
    if (column === LOOKUP_COLUMN) return (value) => (this.lookup = Number(value));
    return (value) => {
      this.count(value.length);
      return convert(type, value);
    };
  };

  private count(characters: number): void {
    if (this.errors.has(this.lookup)) return;
    try {
      this.group[this.lookup - 1]?.count(characters);
    } catch (error) {
      this.errors.set(this.lookup, error);
    }
  }
}

/** The first of a shared statement. */
const [MOMENT_COLUMN, LOOKUP_COLUMN] = [0, 1];
