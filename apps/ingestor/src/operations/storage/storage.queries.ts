import type { Pool } from 'pg';

/** Partitions are in the table, or the index, that they are of. Sizes in bytes, rows as the database last estimated them. */
export interface TableStorage {
  table: string;
  heapBytes: number;
  indexBytes: number;
  toastBytes: number;
  rows: number;
  deadRows: number;
  /** since the database's statistics began */
  updates: number;
  /** of these, those that needed no entry in any index */
  hotUpdates: number;
}

export interface Storage {
  measured: Date;
  databaseBytes: number;
  /** of the oldest that is still frozen by no vacuum; the database stops taking writes before 2^31 */
  transactionAge: number;
  /** transactions begun since the oldest that this login can tell is open: what is dead since then, no vacuum removes */
  openAge: number;
  tables: TableStorage[];
  indexes: { index: string; table: string; bytes: number }[];
  slots: ReplicationSlot[];
}

/** Of the whole instance: what is replicated to a warehouse, and other servers that follow this one. */
export interface ReplicationSlot {
  slot: string;
  isLogical: boolean;
  /** of the write-ahead log, held back until the slot's subscriber has read it; 0 when it is lost */
  heldBytes: number;
  /** it was further behind than the instance lets it be: the subscriber begins again */
  isLost: boolean;
}

/** From catalogue and statistics, which any login sees: no table is read, so it costs the same at any size. */
export async function readStorage(db: Pool): Promise<Storage> {
  const [whole, tables, indexes, slots] = [
    await db.query<Omit<Storage, 'tables' | 'indexes' | 'slots'>>(WHOLE),
    await db.query<TableStorage>(TABLES),
    await db.query<Storage['indexes'][number]>(INDEXES),
    await db.query<ReplicationSlot>(SLOTS),
  ];
  const [row] = whole.rows;
  if (!row) throw new Error('A select without a table gives one row');
  return { ...row, tables: tables.rows, indexes: indexes.rows, slots: slots.rows };
}

/**
 * What is open: whoever writes, which the snapshot tells; who only reads, as far as this login may see it (its own sessions,
 * or all with pg_read_all_stats); and replication slots, which every login sees.
 */
const WHOLE = `
  select clock_timestamp() as measured, pg_database_size(current_database())::float8 as "databaseBytes",
    greatest(age(datfrozenxid), mxid_age(datminmxid))::float8 as "transactionAge",
    greatest(
      age(pg_snapshot_xmin(pg_current_snapshot())::xid),
      (select max(age(backend_xmin)) from pg_stat_activity where datid = pg_database.oid or datid is null),
      (select max(greatest(age(xmin), age(catalog_xmin))) from pg_replication_slots)
    )::float8 as "openAge"
  from pg_database where datname = current_database()`;

const TABLES = `
  select root.relname as "table",
    sum(pg_relation_size(c.oid) + pg_relation_size(c.oid, 'fsm') + pg_relation_size(c.oid, 'vm'))::float8 as "heapBytes",
    sum(pg_indexes_size(c.oid))::float8 as "indexBytes",
    sum(coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0))::float8 as "toastBytes",
    sum(coalesce(s.n_live_tup, 0))::float8 as rows, sum(coalesce(s.n_dead_tup, 0))::float8 as "deadRows",
    sum(coalesce(s.n_tup_upd, 0))::float8 as updates, sum(coalesce(s.n_tup_hot_upd, 0))::float8 as "hotUpdates"
  from pg_class c
  join pg_class root on root.oid = coalesce(pg_partition_root(c.oid), c.oid)
  left join pg_stat_user_tables s on s.relid = c.oid
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
  group by root.relname
  order by sum(pg_total_relation_size(c.oid)) desc, root.relname`;

const INDEXES = `
  select root.relname as index, min(tableroot.relname) as "table", sum(pg_relation_size(i.indexrelid))::float8 as bytes
  from pg_index i
  join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
  join pg_class tableroot on tableroot.oid = coalesce(pg_partition_root(i.indrelid), i.indrelid)
  join pg_class root on root.oid = coalesce(pg_partition_root(i.indexrelid), i.indexrelid)
  group by root.relname
  order by 3 desc, 1`;

/** Every login sees all of them, whatever database they are of. A lost one may have no place in the log any more. */
const SLOTS = `
  select slot_name as slot, slot_type = 'logical' as "isLogical", wal_status = 'lost' as "isLost",
    case wal_status when 'lost' then 0
      else coalesce(greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0), 0) end::float8 as "heldBytes"
  from pg_replication_slots where not temporary
  order by 4 desc, 1`;
