import type { Pool } from 'pg';
import type { RetainedFeed } from './rules.ts';

/** A partition, or what fits none of them. */
export interface Partition {
  table: string;
  /** as 202611; null: the default one, which holds nothing in ordinary operation */
  month: string | null;
  /** null: from the beginning of all time */
  from: Date | null;
  to: Date | null;
  bytes: number;
  /** null when they were not counted */
  rows: number | null;
  /** what keeps it from going, whatever its age; null: nothing */
  heldBackBy: string | null;
}

interface PartitionRow {
  tabell: string;
  maaned: string | null;
  fra: Date | null;
  til: Date | null;
  byte: string;
  rader: string | null;
  hindring: string | null;
}

/** @param count the rows of all: each in a transaction of its own, so that none is held while another is counted */
export async function readPartitions(db: Pool, { count }: { count: boolean }): Promise<Partition[]> {
  const { rows } = await db.query<PartitionRow>('select * from partisjoner()');
  for (const row of count ? rows : []) {
    if (row.maaned !== null) row.rader = await countRows(db, row.tabell, row.maaned);
  }
  return rows.map(({ tabell, maaned, fra, til, byte, rader, hindring }) => ({
    table: tabell,
    month: maaned,
    from: fra,
    to: til,
    bytes: Number(byte),
    rows: rader === null ? null : Number(rader),
    heldBackBy: hindring,
  }));
}

async function countRows(db: Pool, table: string, month: string): Promise<string | null> {
  const { rows } = await db.query<{ antall: string | null }>('select tell_partisjon($1, $2) as antall', [table, month]);
  return rows[0]?.antall ?? null;
}

/**
 * Table by table, so that no lock of one is held while another is waited for.
 *
 * @returns the names of those that were missing
 * @throws what kept the first of them from being made, when all others are
 */
export async function makePartitions(db: Pool): Promise<string[]> {
  const made: string[] = [];
  const errors: unknown[] = [];
  for (const table of await readPartitionedTables(db)) {
    try {
      const { rows } = await db.query<{ navn: string }>('select lag_partisjoner($1) as navn', [table]);
      made.push(...rows.map(({ navn }) => navn));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return made;
}

/** @returns false when it is gone already */
export async function dropPartition(db: Pool, table: string, month: string): Promise<boolean> {
  const { rows } = await db.query<{ fjernet: boolean }>('select fjern_partisjon($1, $2) as fjernet', [table, month]);
  return rows[0]?.fjernet ?? false;
}

/** Of the database, which says when a row was written. */
export async function readClock(db: Pool): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>('select now() as now');
  if (!rows[0]) throw new Error('A select without a table gives one row');
  return rows[0].now;
}

export async function readPartitionedTables(db: Pool): Promise<string[]> {
  const { rows } = await db.query<{ tabell: string }>('select tabell from partisjonering order by tabell');
  return rows.map(({ tabell }) => tabell);
}

/**
 * A feed begins later: after all lines of the latest of these moments that can go. Transactions near the end of a month
 * have numbers in another order than times, so some lines of the next month fall away too: none that is younger than the
 * cutoff, none that an open transaction may come before, and never the last. Committed before anything is dropped, so
 * that a reader from before is told to begin anew, and none misses a line.
 *
 * @param ends of the partitions that are old enough
 * @returns the end of the latest that it is moved past, or would be; null: none
 */
export async function moveHorizon(
  db: Pool,
  { lines, tables, horizon }: RetainedFeed,
  ends: readonly Date[],
  { cutoff, dryRun }: { cutoff: Date; dryRun: boolean },
): Promise<Date | null> {
  const each = (expression: (table: string) => string): string => tables.map(expression).join(', ');
  const text = `with grense as materialized (
      select least(pg_snapshot_xmin(pg_current_snapshot()),
        ${each((table) => `(select min(tx) from ${table} where tidspunkt >= $2)`)},
        (select max(tx) from ${lines})) as tx
    ), gamle as (
      select til, greatest(${each((table) => `(select max(tx) from ${table} where tidspunkt < til)`)}) as siste
      from unnest($1::timestamptz[]) as e(til)
    ), ny as (
      select (max(siste)::text::numeric + 1)::text::xid8 as tx, max(til) as til from gamle, grense where siste < grense.tx
    )`;
  const { rows } = await db.query<{ til: Date | null }>(
    dryRun
      ? `${text} select til from ny`
      : `${text}, flyttet as (
           update ${horizon.table} set beskaaret_til = ny.tx, beskaaret_tidspunkt = clock_timestamp() from ny
           where ny.tx > beskaaret_til and ${horizon.where})
         select til from ny`,
    [ends, cutoff],
  );
  return rows[0]?.til ?? null;
}
