import type { Client } from 'pg';

/** In each table: what reads or changes so many of one has done so with all of it. */
export const ROWS = 400;

/** Where the rules for the values are not of the kind that is read from the catalogue. */
const BY_HAND: Readonly<Record<string, string>> = {
  abonnement_medlem: `insert into abonnement_medlem (abonnement, noekkel) select gen_random_uuid(), 'A' || n from generate_series(1, ${String(ROWS)}) n`,
  oppslagsarkiv: `insert into oppslagsarkiv (maaned, begrunnelse)
    select to_char(date '1950-01-01' + n * interval '1 month', 'YYYYMM'), 'for a test' from generate_series(1, ${String(ROWS)}) n`,
  oppslagsinnsyn: `insert into oppslagsinnsyn (hvem, hva, begrunnelse, person)
    select 'a', 'oppslag', 'for a test', gen_random_uuid() from generate_series(1, ${String(ROWS)}) n`,
};

interface Column {
  name: string;
  type: string;
  /** of a check that lists what it may be: the last, which no rule of "one at a time" is about */
  literal: string | null;
}

/**
 * Rows in every table that has none.
 *
 * @param superuser past triggers and foreign keys
 * @returns tables that could not be filled, and that are not of one row by their key, each with why
 */
export async function fill(superuser: Client): Promise<string[]> {
  await superuser.query('set session_replication_role = replica');
  const { rows: tables } = await superuser.query<{ name: string; columns: Column[]; ofOneRow: boolean }>(TABLES);
  const failed: string[] = [];
  for (const { name, columns, ofOneRow } of tables) {
    const { rows } = await superuser.query<{ some: boolean }>(`select exists (select from "${name}") as some`);
    if (rows[0]?.some || ofOneRow) continue;
    const sql = BY_HAND[name] ?? insertInto(name, columns);
    const count = await superuser.query(sql).then(
      ({ rowCount }) => (rowCount === ROWS ? undefined : `only ${String(rowCount)} rows`),
      (error: unknown) => String(error),
    );
    if (count !== undefined) failed.push(`${name}: ${count}`);
  }
  return failed;
}

function insertInto(table: string, columns: Column[]): string {
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const values = columns.map((column) => valueOf(column)).join(', ');
  return columns.length === 0
    ? `insert into "${table}" select from generate_series(1, ${String(ROWS)})`
    : `insert into "${table}" (${names}) overriding system value
       select ${values} from generate_series(1, ${String(ROWS)}) n on conflict do nothing`;
}

function valueOf({ type, literal }: Column): string {
  if (literal !== null) return literal;
  if (type.endsWith('[]')) return `'{}'::${type}`;
  if (type === 'uuid') return 'md5(n::text)::uuid';
  if (type === 'boolean') return 'false';
  if (type.startsWith('json')) return `'{}'::${type}`;
  if (type === 'bytea') return `convert_to(n::text, 'UTF8')`;
  if (type === 'date') return 'current_date - n';
  if (type.startsWith('timestamp')) return `now() - n * interval '1 minute'`;
  return `n::text::${type}`;
}

const TABLES = `
select c.relname as name,
  exists (select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
    where i.indrelid = c.oid and i.indisunique and i.indnatts = 1 and a.atttypid = 'bool'::regtype) as "ofOneRow",
  (select coalesce(json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod), 'literal', (
       select substring(pg_get_constraintdef(k.oid) from '.*(''[^'']*''::text)')
       from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum] limit 1))
     order by attnum), '[]')
   from pg_attribute a
   where a.attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''
     and (attnotnull or attname in ('tilstand', 'avtale_inngaatt')) ) as columns
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  -- Of partisjonering each row is a table that is partitioned.
  and c.relname not in ('migrations', 'migrasjonssteg', 'partisjonering')
order by 1`;
