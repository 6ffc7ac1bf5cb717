import { withClient } from '../servers.ts';

/** Bytes on disk of all that grows with avtaler: by table without its indexes, and by index. */
export async function readSizes(
  url: string,
): Promise<{ tables: Record<string, number>; indexes: Record<string, number> }> {
  return withClient(url, async (db) => {
    const { rows } = await db.query<{ name: string; is_index: boolean; bytes: number }>(
      `select coalesce(top.relname, c.relname) as name, c.relkind = 'i' as is_index, sum(pg_total_relation_size(c.oid) - pg_indexes_size(c.oid))::float8 as bytes
       from pg_class c left join pg_inherits i on i.inhrelid = c.oid left join pg_class top on top.oid = i.inhparent
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i') group by 1, 2`,
    );
    const of = (isIndex: boolean): Record<string, number> =>
      Object.fromEntries(rows.filter(({ is_index }) => is_index === isIndex).map(({ name, bytes }) => [name, bytes]));
    return { tables: of(false), indexes: of(true) };
  });
}

export interface TableActivity {
  inserts: number;
  updates: number;
  /** of these, those that entered no index */
  hot: number;
  live: number;
  dead: number;
  autovacuums: number;
  bytes: number;
}

/** What Postgres counts of a table, as far as its backends have told. */
export async function readActivity(url: string, table: string): Promise<TableActivity> {
  return withClient(url, async (db) => {
    const { rows } = await db.query<TableActivity>(
      `select n_tup_ins::float8 as inserts, n_tup_upd::float8 as updates, n_tup_hot_upd::float8 as hot, n_live_tup::float8 as live, n_dead_tup::float8 as dead,
         autovacuum_count::float8 as autovacuums, pg_table_size(relid)::float8 as bytes
       from pg_stat_user_tables where relid = $1::regclass`,
      [table],
    );
    if (!rows[0]) throw new Error(`There is no table ${table}`);
    return rows[0];
  });
}
