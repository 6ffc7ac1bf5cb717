import type { QueryRunner } from 'typeorm';
import { createIndexConcurrently, repeatable, validate } from './migration-steps.ts';

/** A table that becomes a partitioned one, or stops being one (ADR 55). All of it is SQL of the migration's own. */
export interface MonthlyTable {
  table: string;
  /** `timestamptz` that it is partitioned by */
  column: string;
  /** primary key of the partitioned table: with the column in it */
  key: string;
  /** primary key of the table as one */
  plainKey: string;
  /** `partisjonering.minst_dager` and `vilkaar` */
  minDays: number;
  condition: string | null;
  /** before anything else, while it is read and written; done again after an interruption */
  prepare?: (db: QueryRunner) => Promise<void>;
  /** takes from the table, called `$old` here, what the partitioned one is to have instead; its indexes are renamed */
  yield: string;
  /** makes the partitioned table, without its keys, indexes and partitions: triggers, rights and comments too */
  create: string;
  /** its indexes but the key, each by its name, which begins with the table's, and what follows `on <table>` */
  indexes: Readonly<Record<string, string>>;
  /** before the partitioned table is dropped; what becomes the table is called `$old` here */
  remember: string;
  /** gives the table, under its old name again, what `yield` took */
  restore: string;
}

/**
 * Turns a table into a partitioned one without copying it: it becomes the first partition, of everything up to the end of
 * a month. What takes long locks nobody out, what locks takes milliseconds, and is tried until nobody is in the way. Done
 * again after an interruption, it goes on where it was. Outside a transaction.
 */
export async function partitionByMonth(db: QueryRunner, monthly: MonthlyTable): Promise<void> {
  const { table } = monthly;
  if (!(await isPartitioned(db, table))) {
    await monthly.prepare?.(db);
    if (monthly.key !== monthly.plainKey) await buildKey(db, table, monthly.key);
    try {
      await attach(db, monthly, await boundRows(db, monthly));
    } catch (error) {
      await unboundRows(db, table);
      throw error;
    }
  }
  await repeatable(db, `months of ${table}`, `select lag_partisjoner('${table}')`);
}

async function attach(db: QueryRunner, monthly: MonthlyTable, month: string): Promise<void> {
  const { table, column, key, plainKey, minDays, condition } = monthly;
  const old = `${table}_${month}`;
  const names = Object.keys(monthly.indexes);
  const ownKey =
    key === plainKey
      ? `alter index ${table}_pkey rename to ${old}_pkey;`
      : `alter table ${table} drop constraint ${table}_pkey;
         alter table ${table} add constraint ${old}_pkey primary key using index ${table}_noekkel;`;
  await repeatable(
    db,
    `partitions of ${table}`,
    `lock table ${table} in access exclusive mode;
     ${ownKey}
     alter table ${table} rename to ${old};
     ${monthly.yield.replaceAll('$old', old)}
     ${revokeAll(old)}
     ${names.map((name) => `alter index ${name} rename to ${old}${name.slice(table.length)};`).join('\n')}
     ${monthly.create}
     alter table ${table} add primary key (${key});
     ${names.map((name) => `create index ${name} on ${table} ${String(monthly.indexes[name])};`).join('\n')}
     alter table ${table} attach partition ${old} for values from (minvalue) to ('${endOf(month)}');
     alter table ${old} drop constraint ${table}_til_${month};
     create table ${table}_default partition of ${table} default;
     insert into partisjonering (tabell, kolonne, minst_dager, vilkaar)
       values ('${table}', '${column}', ${String(minDays)}, ${condition === null ? 'null' : `'${condition}'`});`,
  );
}

/**
 * The other way. The largest partition becomes the table, with the rows of the others moved to it: soon after the change
 * these are few. Outside a transaction.
 */
export async function unpartition(db: QueryRunner, monthly: MonthlyTable): Promise<void> {
  const { table, key, plainKey } = monthly;
  if (!(await isPartitioned(db, table))) return;
  const [largest] = (await db.query(
    `select relname::text as name from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = $1::regclass
     order by pg_total_relation_size(c.oid) desc, relname limit 1`,
    [table],
  )) as { name: string }[];
  if (!largest) throw new Error(`${table} has no partitions`);
  const { name: old } = largest;
  const indexes = (await db.query(
    `select p.relname::text as name, c.relname::text as own
     from pg_index i join pg_class c on c.oid = indexrelid join pg_inherits h on h.inhrelid = c.oid
       join pg_class p on p.oid = h.inhparent
     where indrelid = $1::regclass and not indisprimary`,
    [old],
  )) as { name: string; own: string }[];
  if (key !== plainKey) await buildKey(db, old, plainKey);
  const ownKey =
    key === plainKey
      ? ''
      : `alter table ${old} drop constraint ${old}_pkey;
         alter table ${old} add constraint ${old}_pkey primary key using index ${old}_noekkel;`;
  await repeatable(
    db,
    `${table} as one`,
    `lock table ${table} in access exclusive mode;
     alter table ${table} detach partition ${old};
     ${ownKey}
     insert into ${old} select * from ${table};
     ${monthly.remember.replaceAll('$old', old)}
     drop table ${table};
     alter table ${old} rename to ${table};
     alter index ${old}_pkey rename to ${table}_pkey;
     ${indexes.map(({ name, own }) => `alter index ${own} rename to ${name};`).join('\n')}
     ${monthly.restore}
     delete from partisjonering where tabell = '${table}';`,
    // Rows are moved in it: rather long than never.
    { isLong: true },
  );
}

async function isPartitioned(db: QueryRunner, table: string): Promise<boolean> {
  const rows: unknown[] = await db.query(`select from pg_class where oid = $1::regclass and relkind = 'p'`, [table]);
  return rows.length > 0;
}

const buildKey = (db: QueryRunner, table: string, key: string): Promise<void> =>
  createIndexConcurrently(db, `${table}_noekkel`, `${table} (${key})`, { unique: true });

/**
 * Makes it known that all rows are before the end of a month, so that they need not be looked at while the table is
 * locked. New rows are held to it at once, so the month is never one that may end before the rest is done.
 *
 * @returns the month, as 202611
 */
async function boundRows(db: QueryRunner, { table, column }: MonthlyTable): Promise<string> {
  let known = await readBound(db, table);
  if (known?.late === true) {
    await unboundRows(db, table);
    known = undefined;
  }
  const month = known?.month ?? (await lastMonth(db, table, column));
  const check = `${table}_til_${month}`;
  if (!known) {
    const sql = `alter table ${table} add constraint ${check} check (${column} < '${endOf(month)}') not valid`;
    await repeatable(db, `check ${check}`, sql);
  }
  await validate(db, table, check);
  return month;
}

/** A check that outlives what it is for would one day refuse every row. */
async function unboundRows(db: QueryRunner, table: string): Promise<void> {
  const bound = await readBound(db, table).catch(() => undefined);
  if (!bound) return;
  const check = `${table}_til_${bound.month}`;
  await repeatable(db, `no check ${check}`, `alter table ${table} drop constraint ${check}`);
}

async function readBound(db: QueryRunner, table: string): Promise<{ month: string; late: boolean } | undefined> {
  const [known] = (await db.query(
    `select right(conname, 6) as month, to_date(right(conname, 6), 'YYYYMM') + interval '1 month' < now() + interval '2 days' as late
     from pg_constraint where conrelid = $1::regclass and conname ~ ('^' || $1 || '_til_[0-9]{6}$')`,
    [table],
  )) as { month: string; late: boolean }[];
  return known;
}

async function lastMonth(db: QueryRunner, table: string, column: string): Promise<string> {
  const [row] = (await db.query(
    `select to_char(greatest(now() + interval '15 days', (select max(${column}) from ${table})) at time zone 'UTC',
       'YYYYMM') as month`,
  )) as { month: string }[];
  if (!row) throw new Error('A select without a table gives one row');
  return row.month;
}

/** @returns the first moment after the month */
function endOf(month: string): string {
  const end = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(4)), 1));
  return end.toISOString().replace('.000Z', '+00');
}

/** The rights are the partitioned table's. */
function revokeAll(table: string): string {
  return `revoke all on ${table} from datadeling_skriver, datadeling_leser, datadeling_revisor;`;
}
