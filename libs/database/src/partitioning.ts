import { setTimeout as wait } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';

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
  /** takes from the table, called `$old` here, what the partitioned one is to have instead; its indexes are renamed */
  yield: string;
  /** makes the partitioned table, without its keys, indexes and partitions: triggers, rights and comments too */
  create: string;
  /** its indexes but the key, each by its name and what follows `on <table>` */
  indexes: Readonly<Record<string, string>>;
  /** before the partitioned table, called `$former` here, is dropped */
  remember: string;
  /** gives the table, under its old name again, what `yield` took */
  restore: string;
}

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

/**
 * Turns a table into a partitioned one without copying it: it becomes the first partition, of everything up to the end of
 * a month. What takes long locks nobody out, what locks takes milliseconds, and is tried until nobody is in the way. Done
 * again after an interruption, it goes on where it was. Outside a transaction.
 */
export async function partitionByMonth(db: QueryRunner, monthly: MonthlyTable): Promise<void> {
  const { table, column, key, minDays, condition } = monthly;
  if (!(await isPartitioned(db, table))) {
    // Reading all of it, and waiting for whoever reads, takes the time that it takes.
    await db.query('set statement_timeout = 0; set lock_timeout = 0');
    try {
      await buildKey(db, table, key);
      const month = await boundRows(db, monthly);
      const old = `${table}_${month}`;
      const names = Object.keys(monthly.indexes);
      await withoutHolding(
        db,
        `lock table ${table} in access exclusive mode;
         alter table ${table} drop constraint ${table}_pkey;
         alter table ${table} add constraint ${old}_pkey primary key using index ${table}_noekkel;
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
    } finally {
      await db.query('reset statement_timeout; reset lock_timeout');
    }
  }
  await withoutHolding(db, 'select lag_partisjoner()');
}

/**
 * The other way. The largest partition becomes the table, with the rows of the others moved to it: soon after the change
 * these are few. In a transaction or outside one.
 */
export async function unpartition(db: QueryRunner, monthly: MonthlyTable): Promise<void> {
  const { table, plainKey } = monthly;
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
  // In a transaction what comes first locks first: else whoever writes would have the one table, and this the other.
  if (db.isTransactionActive) await db.query(`lock table ${table} in access exclusive mode`);
  await buildKey(db, old, plainKey);
  await withoutHolding(
    db,
    `lock table ${table} in access exclusive mode;
     alter table ${table} detach partition ${old};
     alter table ${old} drop constraint ${old}_pkey;
     alter table ${old} add constraint ${old}_pkey primary key using index ${old}_noekkel;
     insert into ${old} select * from ${table};
     ${monthly.remember}
     drop table ${table};
     alter table ${old} rename to ${table};
     alter index ${old}_pkey rename to ${table}_pkey;
     ${indexes.map(({ name, own }) => `alter index ${own} rename to ${name};`).join('\n')}
     ${monthly.restore}
     delete from partisjonering where tabell = '${table}';`,
  );
}

async function isPartitioned(db: QueryRunner, table: string): Promise<boolean> {
  const rows: unknown[] = await db.query(`select from pg_class where oid = $1::regclass and relkind = 'p'`, [table]);
  return rows.length > 0;
}

async function buildKey(db: QueryRunner, table: string, key: string): Promise<void> {
  const how = db.isTransactionActive ? '' : 'concurrently';
  const index = `${table}_noekkel`;
  const invalid: unknown[] = await db.query(
    'select from pg_index where indexrelid = to_regclass($1) and not indisvalid',
    [index],
  );
  if (invalid.length > 0) await db.query(`drop index ${how} ${index}`);
  await db.query(`create unique index ${how} if not exists ${index} on ${table} (${key})`);
}

/**
 * Makes it known that all rows are before the end of a month, so that they need not be looked at while the table is
 * locked. New rows are held to it at once, so the month is never one that may end before the rest is done.
 *
 * @returns the month, as 202611
 */
async function boundRows(db: QueryRunner, { table, column }: MonthlyTable): Promise<string> {
  const [known] = (await db.query(
    `select right(conname, 6) as month, to_date(right(conname, 6), 'YYYYMM') + interval '1 month' < now() + interval '2 days' as late
     from pg_constraint where conrelid = $1::regclass and conname ~ ('^' || $1 || '_til_[0-9]{6}$')`,
    [table],
  )) as { month: string; late: boolean }[];
  if (known?.late === true) {
    await withoutHolding(db, `alter table ${table} drop constraint ${table}_til_${known.month}`);
  }
  const month = known?.late === false ? known.month : await lastMonth(db, table, column);
  if (known?.late !== false) {
    await withoutHolding(
      db,
      `alter table ${table} add constraint ${table}_til_${month} check (${column} < '${endOf(month)}') not valid`,
    );
  }
  await db.query(`alter table ${table} validate constraint ${table}_til_${month}`);
  return month;
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

/** Whoever waits for this does so for a moment; whoever is in the way goes first. */
async function withoutHolding(db: QueryRunner, sql: string): Promise<void> {
  if (db.isTransactionActive) {
    await db.query(sql);
    return;
  }
  for (let attempt = 1; ; attempt++) {
    try {
      await db.startTransaction();
      await db.query(`set local lock_timeout = '300ms'`);
      await db.query(sql);
      await db.commitTransaction();
      return;
    } catch (error) {
      if (db.isTransactionActive) await db.rollbackTransaction();
      const { code } = error as { code?: string };
      if ((code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) || attempt === 300) throw error;
      await wait(1_000);
    }
  }
}
