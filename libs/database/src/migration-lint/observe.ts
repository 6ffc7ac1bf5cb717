import type { DataSource, QueryRunner } from 'typeorm';
import { LOCK_TIMEOUT_MS } from '../migration-steps.ts';
import { MAY_LOCK } from './exceptions.ts';
import { ROWS } from './fill.ts';

/** What tables are made of. They are known by their number, since one may get another name. */
interface Catalogue {
  tables: Map<string, { name: string; file: string; notNull: string[] }>;
  /** of which table, and its name */
  indexes: Set<string>;
  /** those that hold for all rows: of which table, its name and its type */
  constraints: Set<string>;
}

/** A transaction of a migration, as the database saw it just before it committed. */
interface Transaction {
  lockTimeoutMs: number;
  locks: { table: string; mode: string }[];
  work: { table: string; read: number; changed: number }[];
  now: Catalogue;
}

/**
 * Looks at what each transaction of a migration takes and does, in the database itself: at a table of any size it would
 * do the same. Tables that were not there when the migration began may be held.
 */
export class Observer {
  readonly faults: string[] = [];
  private migration = '';
  private before: Catalogue = { tables: new Map(), indexes: new Set(), constraints: new Set() };
  private statements: string[] = [];

  constructor(db: DataSource) {
    const create = db.createQueryRunner.bind(db);
    db.createQueryRunner = (mode) => this.watch(create(mode));
  }

  /** The migration that comes next. */
  async begin(db: DataSource, migration: string): Promise<void> {
    this.migration = migration;
    const runner = db.createQueryRunner();
    this.before = await catalogueOf(runner);
    await runner.release();
  }

  private watch(runner: QueryRunner): QueryRunner {
    const query = runner.query.bind(runner) as (sql: string, ...rest: unknown[]) => Promise<unknown>;
    let start: Transaction | undefined;
    (runner as { query: unknown }).query = async (sql: string, ...rest: unknown[]) => {
      if (/^START TRANSACTION/.test(sql)) {
        const result = await query(sql, ...rest);
        // The database adds some transactions up before it forgets their work.
        start = await transactionOf(query);
        this.statements = [];
        return result;
      }
      if (sql === 'COMMIT' && start) this.faults.push(...this.judge(start, await transactionOf(query)));
      else if (runner.isTransactionActive) this.statements.push(sql);
      else if (this.migration !== '') this.outside(sql, await functionsOf(query));
      return query(sql, ...rest);
    };
    return runner;
  }

  private outside(sql: string, functions: ReadonlySet<string>): void {
    for (const statement of statementsOf(sql)) {
      if (isHarmless(statement, functions)) continue;
      this.faults.push(
        this.told(
          `does this outside of a transaction: ${headOf(statement)}. Use step(), or what migration-steps.ts has`,
        ),
      );
    }
  }

  private judge(start: Transaction, { locks, work, now, lockTimeoutMs }: Transaction): string[] {
    const isOfConcern = ({ table }: { table: string }): boolean =>
      this.before.tables.has(table) && !this.mayLock(this.before.tables.get(table)?.name);
    const held = locks.filter(isOfConcern);
    const all = work.filter(isOfConcern).map((table) => since(start, table));
    const faults = held.length === 0 ? [] : all.flatMap((table) => whileHeld(start.now, now, table, held));
    for (const { table, changed } of all) {
      if (changed < ROWS) continue;
      const name = nameOf(start.now, table);
      faults.push(`changes all rows of ${name} in one transaction: inBatches(db, { table: '${name}', … })`);
    }
    if (held.length > 0 && (lockTimeoutMs === 0 || lockTimeoutMs > LOCK_TIMEOUT_MS)) {
      const wait = `waits ${String(lockTimeoutMs)} ms (0: for ever) for locks`;
      faults.push(`${wait}, with all others behind: leave lock_timeout alone`);
    }
    const within = this.statements.filter((sql) => !OF_STEPS.test(sql)).map(headOf);
    return faults.map((fault) => this.told(`${fault}\n    in: ${within.join('; ').slice(0, 300)}`));
  }

  private mayLock(table: string | undefined): boolean {
    return MAY_LOCK.some((exception) => exception.migration === this.migration && exception.table === table);
  }

  private told(fault: string): string {
    return `${this.migration} ${fault}`;
  }
}

type Work = Transaction['work'][number];

/** What was done to a table, or of it, that takes longer the more rows it has. */
function whileHeld(start: Catalogue, now: Catalogue, { table, read }: Work, held: Transaction['locks']): string[] {
  const [was, is] = [start.tables.get(table), now.tables.get(table)];
  const name = nameOf(start, table);
  if (was && is && was.file !== is.file) {
    return [
      `writes ${name} anew while it is held: a new column has no volatile default and is not generated, and a new type is a new column, filled by inBatches()`,
    ];
  }
  if (read < ROWS) return [];
  const isNew = (before: Set<string>) => (key: string) => key.startsWith(`${table} `) && !before.has(key);
  const named = [
    ...[...now.constraints].filter(isNew(start.constraints)).map((key) => constraintAdvice(name, key)),
    ...[...now.indexes]
      .filter(isNew(start.indexes))
      .map((key) => `builds ${key.split(' ')[1] ?? ''} while ${name} is held: createIndexConcurrently(db, …)`),
    ...(is?.notNull ?? [])
      .filter((column) => was?.notNull.includes(column) === false)
      .map(
        (column) => `sets ${name}.${column} not null, which reads all rows: setNotNull(db, '${name}', ['${column}'])`,
      ),
  ];
  if (named.length > 0) return named;
  const locks = held.map((lock) => `${nameOf(start, lock.table)} (${lock.mode})`).join(', ');
  return [`reads all of ${name} while it holds ${locks}: do it before or after, in a step of its own or inBatches()`];
}

function constraintAdvice(table: string, key: string): string {
  const [, constraint = '', type = ''] = key.split(' ');
  return 'pux'.includes(type)
    ? `builds the index of ${constraint} while ${table} is held: createIndexConcurrently(db, '${constraint}', …, { unique: true }), then \`add constraint ${constraint} … using index ${constraint}\``
    : `adds ${constraint}, which reads all of ${table} while it is held: add it \`not valid\` in a step(), then validate(db, '${table}', '${constraint}')`;
}

const nameOf = ({ tables }: Catalogue, table: string): string => tables.get(table)?.name ?? table;

const headOf = (sql: string): string => sql.replaceAll(/\s+/g, ' ').trim().slice(0, 80);

/** What steps do for themselves. */
const OF_STEPS = /migrasjonssteg|^set local/;

/**
 * What takes no lock that readers or writers wait behind, a statement each; the update is `migrate`'s own. A select calls
 * no function of ours, which might do anything.
 */
const OUTSIDE =
  /^((set|reset|show|select)\b.*|START TRANSACTION|ROLLBACK|update instans set kontrakt_minst\b.*|(create (unique )?|drop )index concurrently\b.*|alter table \w+ validate constraint \w+)$/is;

/** Apart, but for what stands in quotes. */
const statementsOf = (sql: string): string[] =>
  (sql.match(/(?:'[^']*'|"[^"]*"|\$(\w*)\$[\s\S]*?\$\1\$|[^;'"])+/g) ?? [])
    .map((statement) => statement.trim())
    .filter(Boolean);

const isHarmless = (statement: string, functions: ReadonlySet<string>): boolean =>
  OUTSIDE.test(statement) &&
  !/^select\b.*\b(into|for (no key )?update|for (key )?share)\b/is.test(statement) &&
  ![...statement.matchAll(/(\w+)\s*\(/g)].some(([, name = '']) => functions.has(name.toLowerCase()));

function since(
  { work }: Transaction,
  { table, read, changed }: Transaction['work'][number],
): Transaction['work'][number] {
  const before = work.find((other) => other.table === table);
  return { table, read: read - (before?.read ?? 0), changed: changed - (before?.changed ?? 0) };
}

/** Those of the schema, by name. */
async function functionsOf(query: (sql: string) => Promise<unknown>): Promise<Set<string>> {
  const rows = (await query(`select proname as name from pg_proc where pronamespace = 'public'::regnamespace`)) as {
    name: string;
  }[];
  return new Set(rows.map(({ name }) => name));
}

async function catalogueOf(db: Pick<QueryRunner, 'query'>): Promise<Catalogue> {
  const [row] = (await db.query(CATALOGUE)) as [
    {
      tables: { table: string; name: string; file: string; notNull: string[] }[];
      indexes: string[];
      constraints: string[];
    },
  ];
  return {
    tables: new Map(row.tables.map(({ table, ...rest }) => [table, rest])),
    indexes: new Set(row.indexes),
    constraints: new Set(row.constraints),
  };
}

async function transactionOf(query: (sql: string) => Promise<unknown>): Promise<Transaction> {
  const now = await catalogueOf({ query } as unknown as QueryRunner);
  const [row] = (await query(TRANSACTION)) as [Omit<Transaction, 'now'>];
  return { ...row, now };
}

const CATALOGUE = `
select
  (select coalesce(json_agg(json_build_object('table', c.oid::text, 'name', c.relname, 'file', pg_relation_filenode(c.oid), 'notNull', (
     select coalesce(json_agg(attname), '[]') from pg_attribute a
     where a.attrelid = c.oid and attnum > 0 and attnotnull and not attisdropped))), '[]')
   from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')) as tables,
  (select coalesce(json_agg(c.oid::text || ' ' || i.relname), '[]') from pg_index x
   join pg_class c on c.oid = indrelid join pg_class i on i.oid = indexrelid
   where c.relnamespace = 'public'::regnamespace) as indexes,
  (select coalesce(json_agg(c.oid::text || ' ' || conname || ' ' || contype::text), '[]') from pg_constraint k
   join pg_class c on c.oid = conrelid where c.relnamespace = 'public'::regnamespace and convalidated) as constraints`;

const TRANSACTION = `
select
  (select setting::integer from pg_settings where name = 'lock_timeout') as "lockTimeoutMs",
  (select coalesce(json_agg(distinct jsonb_build_object('table', c.oid::text, 'mode', l.mode)), '[]')
   from pg_locks l join pg_class c on c.oid = l.relation
   where l.pid = pg_backend_pid() and l.granted and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
     and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')) as locks,
  (select coalesce(json_agg(json_build_object('table', s.relid::text, 'read', seq_tup_read,
     'changed', n_tup_ins + n_tup_upd + n_tup_del)), '[]')
   from pg_stat_xact_user_tables s where schemaname = 'public' and seq_tup_read + n_tup_ins + n_tup_upd + n_tup_del > 0) as work`;
