import { setTimeout as wait } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';

/**
 * What migrations are made of, so that none holds up look-ups or ingest for longer than a second, at any size (ADR 57).
 * A migration that needs more than one short transaction says `readonly transaction = false` and is written in steps.
 * Each step is done once, also when the job is killed and begins again. `migration-lint/lint.spec.ts` holds all unreleased ones to it.
 */

/** Told of while a migration runs: a line of the log, without personal data. */
export interface MigrationProgress {
  migration: string;
  direction: 'up' | 'down';
  event: 'BEGUN' | 'DONE' | 'STEP_DONE' | 'WAITS_FOR_LOCK' | 'BATCHES' | 'INDEX';
  step?: string;
  seconds?: number;
  /** of BATCHES */
  batches?: number;
  rows?: number;
  /** of WAITS_FOR_LOCK */
  attempts?: number;
  /** of INDEX: as pg_stat_progress_create_index has it */
  phase?: string;
  blocks?: number;
  blocksInAll?: number;
}

export type Report = (progress: Omit<MigrationProgress, 'migration' | 'direction'>) => void;

export interface MigrationContext {
  migration: string;
  direction: 'up' | 'down';
  /** nobody uses the schema yet: there is nothing to hold up */
  isNew: boolean;
  report: Report;
  /** how long the locks of one transaction are tried for, ms */
  patienceMs: number;
}

/** The locks of a transaction were not to be had. Not for those who retry what passes by waiting: it has waited. */
export class LockedOutError extends Error {
  readonly startupError = true;
}

/**
 * For so long a statement waits for a lock; whoever comes meanwhile waits behind it. With the tables of a transaction
 * taken one after another, and what is done then, this is well below a second.
 */
export const LOCK_TIMEOUT_MS = 100;
/** What holds a lock is done by then, or is given up and tried again. */
const STATEMENT_TIMEOUT_MS = 1_000;
/** A lock that nobody who reads or writes waits behind; longer than it takes until an autovacuum gives way. */
const HARMLESS_LOCK_TIMEOUT_MS = 5_000;
const LONGEST_PAUSE_MS = 5_000;

const contexts = new WeakMap<QueryRunner, MigrationContext>();

/** Whose steps are done on this connection from now on. */
export function beginSteps(db: QueryRunner, context: MigrationContext): void {
  contexts.set(db, context);
}

/** One that is run by nobody knows whom has none: it is held to the limits, and says nothing. */
function contextOf(db: QueryRunner): MigrationContext {
  const none = { migration: 'ukjent', direction: 'up', isNew: false, report: () => undefined, patienceMs: 60_000 };
  return contexts.get(db) ?? (none as MigrationContext);
}

/** A row for each step that is done of the migration under way; the table goes with the last of them. */
const JOURNAL = `
create table if not exists migrasjonssteg (
  migrasjon text not null,
  retning text not null,
  steg text not null,
  naadd text,
  primary key (migrasjon, retning, steg)
)`;

/** In the transaction that says that the migration is done. */
export async function endSteps(db: QueryRunner): Promise<void> {
  await db.query('drop table if exists migrasjonssteg');
}

/**
 * SQL that is done in one short transaction, and once: what changes the catalogue, and at most a few rows. When its locks
 * are not to be had it is given up, and tried again.
 *
 * @param options isLong: what it holds nobody needs meanwhile, which the lint is told of (`migration-lint/exceptions.ts`)
 */
export async function step(db: QueryRunner, name: string, sql: string, { isLong = false } = {}): Promise<void> {
  requireNoTransaction(db, 'step');
  const { report } = contextOf(db);
  const began = performance.now();
  const isNew = await shortly(db, async () => {
    await db.query(JOURNAL);
    if ((await reached(db, name)) !== undefined) return false;
    if (isLong) await db.query('set local statement_timeout = 0');
    await db.query(sql);
    await note(db, name, null);
    return true;
  });
  if (isNew) report({ event: 'STEP_DONE', step: name, seconds: seconds(began) });
}

/** As `step`, of what is looked up in the catalogue whether it is done: it is done again when it is asked for again. */
export async function repeatable(db: QueryRunner, name: string, sql: string, { isLong = false } = {}): Promise<void> {
  requireNoTransaction(db, 'repeatable');
  const began = performance.now();
  await shortly(db, async () => {
    if (isLong) await db.query('set local statement_timeout = 0');
    await db.query(sql);
  });
  contextOf(db).report({ event: 'STEP_DONE', step: name, seconds: seconds(began) });
}

/**
 * An index, made while its table is read and written. One that was left half made is made again.
 *
 * @param on what stands after ON: `avtale (bedrift_nr, avtale_id) where slettet is null`
 */
export async function createIndexConcurrently(
  db: QueryRunner,
  name: string,
  on: string,
  { unique = false } = {},
): Promise<void> {
  requireNoTransaction(db, 'createIndexConcurrently');
  const began = performance.now();
  if (!(await makeIndexConcurrently(db, name, on, { unique }))) return;
  contextOf(db).report({ event: 'STEP_DONE', step: `index ${name}`, seconds: seconds(began) });
}

/** The same, where there is no migration. @returns whether it was not there, or not whole */
export async function makeIndexConcurrently(
  db: QueryRunner,
  name: string,
  on: string,
  { unique = false } = {},
): Promise<boolean> {
  const [index] = (await db.query(
    `select indisvalid and indisready as whole from pg_index where indexrelid = to_regclass($1)`,
    [name],
  )) as { whole: boolean }[];
  if (index?.whole) return false;
  if (index) await db.query(`drop index concurrently if exists ${name}`);
  await db.query(`create ${unique ? 'unique ' : ''}index concurrently ${name} on ${on}`);
  return true;
}

/** Waits for those that use it, however long they take, with nobody waiting behind. */
export async function dropIndexConcurrently(db: QueryRunner, name: string): Promise<void> {
  requireNoTransaction(db, 'dropIndexConcurrently');
  await db.query(`drop index concurrently if exists ${name}`);
}

/** Looks at all rows for a constraint that was added `not valid`, while they are read and written. */
export async function validate(db: QueryRunner, table: string, constraint: string): Promise<void> {
  requireNoTransaction(db, 'validate');
  const began = performance.now();
  await db.query(`alter table ${table} validate constraint ${constraint}`);
  contextOf(db).report({ event: 'STEP_DONE', step: `validate ${constraint}`, seconds: seconds(began) });
}

/** `set not null`, with the rows looked at before it, while they are read and written. */
export async function setNotNull(db: QueryRunner, table: string, columns: readonly string[]): Promise<void> {
  const check = `${table}_uten_null`;
  const all = columns.map((column) => `${column} is not null`).join(' and ');
  await step(db, `check ${check}`, `alter table ${table} add constraint ${check} check (${all}) not valid`);
  const [left] = (await db.query(
    `select from pg_constraint where conrelid = to_regclass($1) and conname = $2 and not convalidated`,
    [table, check],
  )) as object[];
  if (left) await validate(db, table, check);
  // Two statements: in one, the check would be dropped before it could be believed.
  await step(
    db,
    `not null ${check}`,
    `alter table ${table} ${columns.map((column) => `alter column ${column} set not null`).join(', ')};
     alter table ${table} drop constraint ${check}`,
  );
}

export interface Batches {
  /** of this step, for the log and for who begins again */
  name: string;
  table: string;
  /** what its rows are taken by: a column that an index begins with, never null */
  key: string;
  /** what is done to the rows whose key is in the range; the same again does nothing */
  sql: (range: (column: string) => string) => string;
}

/** Also the smallest that is tried, but for what somebody holds a row of. */
const FIRST_BATCH = 100;
const LARGEST_BATCH = 20_000;
/** Others that want to write one of these rows wait for about so long. */
const BATCH_MS = 200;
const REPORT_EACH_MS = 5_000;

/** A change of many rows, some at a time, each time in a transaction of its own. Goes on where it was when it was killed. */
export async function inBatches(db: QueryRunner, batches: Batches): Promise<void> {
  requireNoTransaction(db, 'inBatches');
  const { report, patienceMs } = contextOf(db);
  const began = performance.now();
  let [told, went] = [began, began];
  let size = FIRST_BATCH;
  let [count, rows] = [0, 0];
  let after = await shortly(db, async () => {
    await db.query(JOURNAL);
    return reached(db, batches.name);
  });
  while (after !== null) {
    const from = after;
    try {
      const done = await shortly(db, () => batch(db, batches, from, size), { isRetried: false });
      after = done.last;
      rows += done.rows;
      count++;
      went = performance.now();
      size = nextSize(size, done.ms);
    } catch (error) {
      if (!passes(error)) throw error;
      if (performance.now() - went > patienceMs) throw new LockedOutError(lockedOut(patienceMs), { cause: error });
      // It took too long, or somebody holds one of its rows: a smaller one has less to wait for.
      size = Math.max(Math.round(size / 4), 10);
      await wait(BATCH_MS);
      continue;
    }
    if (performance.now() - told < REPORT_EACH_MS) continue;
    told = performance.now();
    report({ event: 'BATCHES', step: batches.name, batches: count, rows, seconds: seconds(began) });
  }
  report({ event: 'STEP_DONE', step: batches.name, batches: count, rows, seconds: seconds(began) });
}

const nextSize = (size: number, ms: number): number =>
  Math.min(LARGEST_BATCH, Math.max(FIRST_BATCH, Math.round(size * Math.min(2, BATCH_MS / Math.max(ms, 1)))));

/** @returns the last key that it is done with: null when there are no more */
async function batch(
  db: QueryRunner,
  { name, table, key, sql }: Batches,
  after: string | undefined,
  size: number,
): Promise<{ last: string | null; rows: number; ms: number }> {
  const [page] = (await db.query(
    `select k::text as last from (
       select ${key} as k from ${table} ${after === undefined ? '' : `where ${key} > $1`} order by ${key} limit ${String(size)}) side
     order by side.k desc limit 1`,
    after === undefined ? [] : [after],
  )) as { last: string | null }[];
  const last = page?.last ?? null;
  await note(db, name, last);
  if (last === null) return { last, rows: 0, ms: 0 };
  const range = (column: string): string =>
    after === undefined ? `${column} <= $1` : `${column} <= $1 and ${column} > $2`;
  const began = performance.now();
  const result = (await db.query(sql(range), after === undefined ? [last] : [last, after], true)) as unknown as {
    affected?: number;
  };
  return { last, rows: result.affected ?? 0, ms: performance.now() - began };
}

/** @returns undefined when the step has not begun, null when it is done, and else the key that it is done up to */
async function reached(db: QueryRunner, name: string): Promise<string | null | undefined> {
  const { migration, direction } = contextOf(db);
  const [row] = (await db.query(
    'select naadd from migrasjonssteg where migrasjon = $1 and retning = $2 and steg = $3',
    [migration, direction, name],
  )) as { naadd: string | null }[];
  return row?.naadd;
}

async function note(db: QueryRunner, name: string, key: string | null): Promise<void> {
  const { migration, direction } = contextOf(db);
  await db.query(
    `insert into migrasjonssteg values ($1, $2, $3, $4)
     on conflict (migrasjon, retning, steg) do update set naadd = excluded.naadd`,
    [migration, direction, name, key],
  );
}

/**
 * One transaction that waits for no lock for long, and begins again when it did not get one. Nothing else than the
 * database may know of what it does.
 *
 * @throws LockedOutError when it has been tried for as long as the migration has patience
 */
export async function shortly<T>(db: QueryRunner, work: () => Promise<T>, { isRetried = true } = {}): Promise<T> {
  const { isNew, report, patienceMs } = contextOf(db);
  const began = performance.now();
  for (let attempt = 1; ; attempt++) {
    await db.startTransaction();
    try {
      if (!isNew) await limit(db, attempt > 1);
      const result = await work();
      await db.commitTransaction();
      return result;
    } catch (error) {
      await db.rollbackTransaction().catch(() => undefined);
      if (isNew || !isRetried || !passes(error)) throw error;
      if (performance.now() - began > patienceMs) throw new LockedOutError(lockedOut(patienceMs), { cause: error });
      report({ event: 'WAITS_FOR_LOCK', attempts: attempt, seconds: seconds(began) });
      await wait(Math.min(250 * 2 ** Math.min(attempt - 1, 5), LONGEST_PAUSE_MS));
    }
  }
}

const lockedOut = (patienceMs: number): string =>
  `The locks of a migration were not to be had for ${String(patienceMs / 1_000)} s: transactions that stay open hold them (docs/operations.md, Migrations). What was done stays; run the job again`;

/** Its lock or its time was not enough, or it was in a deadlock. Not what is lost with its connection. */
function passes(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(55P03|57014|40P01|40001)$/.test(String(error.code));
}

/**
 * From the second time on, what an autovacuum has is taken first, in a mode that nobody who reads or writes waits behind:
 * it gives way only to who waits for longer than a second.
 */
async function limit(db: QueryRunner, isAgain: boolean): Promise<void> {
  if (isAgain) {
    await db.query(`set local lock_timeout = ${String(HARMLESS_LOCK_TIMEOUT_MS)}`);
    const vacuumed = (await db.query(VACUUMED)) as { name: string }[];
    for (const { name } of vacuumed) await db.query(`lock table only ${name} in share update exclusive mode`);
  }
  await db.query(
    `set local lock_timeout = ${String(LOCK_TIMEOUT_MS)}; set local statement_timeout = ${String(STATEMENT_TIMEOUT_MS)}`,
  );
}

const VACUUMED = `
  select distinct c.oid::regclass::text as name
  from pg_locks l join pg_class c on c.oid = l.relation
  where l.database = (select oid from pg_database where datname = current_database()) and l.granted
    and l.mode = 'ShareUpdateExclusiveLock' and l.pid <> pg_backend_pid()
    and c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and pg_has_role(c.relowner, 'usage')
  order by 1`;

function requireNoTransaction(db: QueryRunner, what: string): void {
  if (!db.isTransactionActive) return;
  throw new Error(`${what} takes transactions of its own: the migration needs \`readonly transaction = false\``);
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 100) / 10;
