import { feedHorizon, LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import type { ToldType } from '../../ingest/told.ts';
import { keyPageOf, LOWEST_UUID, type KeyPage, type KeyRow } from './key-page.ts';

/** A table and its change feed; names are code, and never from outside. */
export interface FeedColumns {
  feed: string;
  table: string;
  key: string;
  keyType: string;
  /** a condition on a row of the table: consumers may see it */
  isVisible: string;
}

/** A line of a feed. */
export interface FeedPlace {
  tx: string;
  sequenceNumber: string;
}

/** Before the first line that the feed still has. */
export async function readFeedStart(db: Pool, { feed }: FeedColumns): Promise<FeedPlace> {
  const { rows } = await db.query<{ tx: string }>(`select beskaaret_til::text as tx from ${feedHorizon(feed)}`);
  return { tx: rows[0]?.tx ?? '0', sequenceNumber: '0' };
}

/** After every transaction that has an id by now. */
export async function readLastBegun(db: Pool): Promise<string> {
  const { rows } = await db.query<{ tx: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as tx');
  return rows[0]?.tx ?? '0';
}

/** Whether all that are before it have ended, and what they wrote may be read. */
export async function haveEnded(db: Pool, tx: string): Promise<boolean> {
  const { rows } = await db.query<{ ended: boolean }>(
    'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as ended',
    [tx],
  );
  return rows[0]?.ended === true;
}

/**
 * Notes what the next lines say last of each key. None that a transaction may still commit behind: as for those who follow
 * the feed. Several processes may do it at once, each from the start.
 *
 * @returns the last of them, and whether there may be more
 */
export async function recordTold(
  db: Pool,
  id: string,
  { feed, key }: FeedColumns,
  { after, count }: { after: FeedPlace; count: number },
): Promise<{ place: FeedPlace; isMore: boolean }> {
  const { rows } = await db.query<{ tx: string; lopenr: string; antall: number }>({
    name: `noter_fortalt_${feed}`,
    text: `with linjer as materialized (
             select tx, lopenr, ${key}::text as nokkel, type from ${feed}
             where (tx, lopenr) > ($2::xid8, $3::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot())
             order by tx, lopenr limit $4),
           notert as (
             insert into gjenoppbygging_fortalt as f
             select distinct on (nokkel) $1::bigint, nokkel, tx, lopenr, type from linjer
             order by nokkel, tx desc, lopenr desc
             on conflict (gjenoppbygging, nokkel) do update
               set tx = excluded.tx, lopenr = excluded.lopenr, type = excluded.type
               where (f.tx, f.lopenr) < (excluded.tx, excluded.lopenr))
           select tx::text, lopenr, (select count(*)::int from linjer) as antall from linjer
           order by linjer.tx desc, lopenr desc limit 1`,
    values: [id, after.tx, after.sequenceNumber, count],
  });
  const [last] = rows;
  if (!last) return { place: after, isMore: false };
  return { place: { tx: last.tx, sequenceNumber: last.lopenr }, isMore: last.antall === count };
}

type ReadPage = (
  db: Pool,
  id: string,
  feed: FeedColumns,
  next: { after: string | undefined; count: number },
) => Promise<KeyPage>;

/** Of those that the feed tells of: the ones of which it says otherwise than the table does. */
export const readToldOtherwise: ReadPage = async (db, id, { table, key, keyType, isVisible }, { after, count }) => {
  const { rows } = await db.query<KeyRow>({
    name: `les_fortalt_${table}`,
    text: `select nokkel, (type = 'ENDRET') <> exists (
             select from ${table} where ${key} = neste.nokkel::${keyType} and ${isVisible}) as avviker
           from (select nokkel, type from gjenoppbygging_fortalt where gjenoppbygging = $1 and nokkel > $2
             order by nokkel limit $3) neste order by nokkel`,
    values: [id, after ?? '', count],
  });
  return keyPageOf(rows);
};

const LOWEST: Readonly<Record<string, string>> = { uuid: LOWEST_UUID };

/**
 * Of those that consumers may see: the ones that the feed tells nothing of, and must have told of since its first line. What
 * was learned before that it has told of, and forgotten.
 */
export const readUntold: ReadPage = async (db, id, { feed, table, key, keyType, isVisible }, { after, count }) => {
  const { rows } = await db.query<KeyRow>({
    name: `les_ufortalt_${table}`,
    text: `with foerste as materialized (
             select case when beskaaret_til = '0' then '-infinity' else coalesce(
               (select tidspunkt from ${feed} where tx >= beskaaret_til order by tx, lopenr limit 1),
               beskaaret_tidspunkt, '-infinity') end as tid from ${feedHorizon(feed)})
           select ${key}::text as nokkel, ${isVisible} and mottatt >= (select tid from foerste) and not exists (
             select from gjenoppbygging_fortalt where gjenoppbygging = $1 and nokkel = neste.${key}::text) as avviker
           from (select * from ${table} where ${key} > $2::text::${keyType} order by ${key} limit $3) neste
           order by neste.${key}`,
    values: [id, after ?? LOWEST[keyType] ?? '', count],
  });
  return keyPageOf(rows);
};

/** What the feed says last of these, while nobody adds to it: what was noted, and the lines after that. */
export async function readLastTold(
  db: PoolClient,
  id: string,
  { feed, key, keyType }: FeedColumns,
  { keys, after }: { keys: readonly string[]; after: FeedPlace },
): Promise<Map<string, ToldType>> {
  const { rows } = await db.query<{ nokkel: string; type: ToldType }>(
    `select distinct on (nokkel) nokkel, type from (
       select nokkel, type, tx, lopenr from gjenoppbygging_fortalt where gjenoppbygging = $1 and nokkel = any($2::text[])
       union all
       select ${key}::text, type, tx, lopenr from ${feed}
       where (tx, lopenr) > ($3::xid8, $4::bigint) and ${key} = any($2::text[]::${keyType}[])) alle
     order by nokkel, tx desc, lopenr desc`,
    [id, keys, after.tx, after.sequenceNumber],
  );
  return new Map(rows.map(({ nokkel, type }) => [nokkel, type]));
}

/** In the transaction that told the feed of them. */
export async function recordToldNow(db: PoolClient, id: string, count: number): Promise<void> {
  if (count > 0) await db.query('update gjenoppbygging set varslet = varslet + $2 where id = $1', [id, count]);
}

type WorkList = 'gjenoppbygging_fortalt' | 'gjenoppbygging_person' | 'gjenoppbygging_ressurs_talt';

/** What rebuilds that are over have left of work lists, as `deleteSeen`: of each at most so many. */
export async function deleteRest(db: Pool, lists: readonly WorkList[], count: number): Promise<number> {
  let deleted = 0;
  for (const list of lists) deleted += await deleteRestOf(db, list, count);
  return deleted;
}

async function deleteRestOf(db: Pool, table: WorkList, count: number): Promise<number> {
  const { rowCount } = await db.query(
    `with alene as materialized (select pg_try_advisory_xact_lock(${LOCKS.SEEN}) as ja)
     delete from ${table} where (gjenoppbygging, nokkel) in (
       select f.gjenoppbygging, f.nokkel from gjenoppbygging g
       cross join lateral (
         select gjenoppbygging, nokkel from ${table} where gjenoppbygging = g.id limit $1) f
       where g.tilstand <> 'KJORER' and (select ja from alene) limit $1)`,
    [count],
  );
  return rowCount ?? 0;
}
