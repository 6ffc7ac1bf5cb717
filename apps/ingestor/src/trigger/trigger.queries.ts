import { LOCKS, type FeedPosition } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import type { FeedLine } from './trigger-event.ts';

/** How far the topic has been told. */
export interface StoredPosition extends FeedPosition {
  epoch: string;
}

/** What comes next, of one moment. */
export interface TriggerPage {
  stored: StoredPosition;
  /** of the feed now */
  epoch: string;
  /** lines after the position were removed from the feed before they were published */
  hasGap: boolean;
  lines: FeedLine[];
}

/**
 * Where to go on from. The position lies in the same database as the feed, so that one that is restored fits the lines
 * beside it. It does not when they were copied into another cluster, whose transaction ids begin anew: nobody can say
 * then what has been told, and all is told again, by ids of the new epoch.
 */
const STATE = `tilstand as materialized (
  select p.epoke as known_epoch, p.tx as known_tx, p.lopenr as known_number, i.beskaaret_til, endringsepoke() as epoke,
    case when p.epoke <> endringsepoke() and p.tx >= pg_snapshot_xmax(pg_current_snapshot())
      then '0'::xid8 else p.tx end as from_tx
  from trigger_posisjon p cross join instans i where p.topic = $1)`;

/**
 * From now on, and nothing of what was before.
 *
 * @param isLost there was one: what has been told since is not known, so that lines may be left out
 * @returns whether there was none
 */
export async function insertPosition(db: Pool, topic: string, isLost: boolean): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into trigger_posisjon (topic, epoke, tx, lopenr, hull)
     select $1, endringsepoke(), (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text::xid8, ${MAX_NUMBER},
       case when $2 then clock_timestamp() end
     where not exists (select from trigger_posisjon where topic = $1)
     on conflict do nothing`,
    [topic, isLost],
  );
  return rowCount === 1;
}

const MAX_NUMBER = String(2n ** 63n - 1n);

interface PageRow {
  known_epoch: string;
  known_tx: string;
  known_number: string;
  epoke: string;
  er_beskaaret: boolean;
  tx: string | null;
  lopenr: string;
  avtale_id: string;
  type: FeedLine['type'];
  tidspunkt: string;
}

/** Of lines that no other can come to lie before: of the transactions before every one that is still open. */
export async function readPage(db: PoolClient, topic: string, count: number): Promise<TriggerPage> {
  const { rows } = await db.query<PageRow>({
    name: 'trigger-side',
    text: `with ${STATE}
      select known_epoch, known_tx, known_number, epoke, from_tx < beskaaret_til as er_beskaaret,
        tx, lopenr, avtale_id, type,
        to_char(tidspunkt at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as tidspunkt
      from tilstand left join lateral (
        select tx, lopenr, avtale_id, type, tidspunkt from endring
        where (tx, lopenr) > (from_tx, known_number) and tx < pg_snapshot_xmin(pg_current_snapshot())
        order by tx, lopenr limit $2) linje on true
      order by tx, lopenr`,
    values: [topic, count],
  });
  const [first] = rows;
  if (!first) throw new Error('The position of the trigger topic is gone');
  return {
    stored: { epoch: first.known_epoch, tx: BigInt(first.known_tx), sequenceNumber: BigInt(first.known_number) },
    epoch: first.epoke,
    hasGap: first.er_beskaaret,
    lines: rows.flatMap((row) => (row.tx === null ? [] : [toLine({ ...row, tx: row.tx })])),
  };
}

function toLine({ tx, lopenr, avtale_id: avtaleId, type, tidspunkt }: PageRow & { tx: string }): FeedLine {
  return { tx: BigInt(tx), sequenceNumber: BigInt(lopenr), avtaleId, type, moment: tidspunkt };
}

/** @returns false when it was not as it had been read: somebody else has been at it */
export async function movePosition(
  db: PoolClient,
  topic: string,
  { from, to, hasGap }: { from: StoredPosition; to: StoredPosition; hasGap: boolean },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update trigger_posisjon set epoke = $2, tx = $3, lopenr = $4, flyttet = clock_timestamp(),
       hull = case when $5 then clock_timestamp() else hull end
     where topic = $1 and epoke = $6 and tx = $7 and lopenr = $8`,
    [topic, ...valuesOf(to), hasGap, ...valuesOf(from)],
  );
  return rowCount === 1;
}

function valuesOf({ epoch, tx, sequenceNumber }: StoredPosition): string[] {
  return [epoch, tx.toString(), sequenceNumber.toString()];
}

export interface TriggerState {
  /** of the first line that is not told of, seconds; 0 when there is none */
  age: number;
  /** seconds since 1970; 0: never */
  gapAt: number;
}

/** Also of lines that wait behind an open transaction: to whoever listens they are as late. */
export async function readState(db: Pool, topic: string): Promise<TriggerState | undefined> {
  const { rows } = await db.query<{ age: number; hull: number }>({
    name: 'trigger-tilstand',
    text: `with ${STATE}
      select coalesce(extract(epoch from clock_timestamp() - (
          select tidspunkt from endring where (tx, lopenr) > (from_tx, known_number) order by tx, lopenr limit 1
        )), 0)::float as age,
        coalesce(extract(epoch from (select hull from trigger_posisjon where topic = $1)), 0)::float as hull
      from tilstand`,
    values: [topic],
  });
  return rows[0] && { age: Math.max(0, rows[0].age), gapAt: rows[0].hull };
}

/** Cheap: asked by every ingestor, some times a second. @returns undefined when there is no position */
export async function hasLines(db: Pool, topic: string): Promise<boolean | undefined> {
  const { rows } = await db.query<{ flere: boolean }>({
    name: 'trigger-flere',
    text: `with ${STATE}
      select exists (select from endring where (tx, lopenr) > (from_tx, known_number)
        and tx < pg_snapshot_xmin(pg_current_snapshot())) as flere from tilstand`,
    values: [topic],
  });
  return rows[0]?.flere;
}

/** Of the session: it ends with its connection, and holds nothing of the feed back meanwhile, as a transaction would. */
export async function tryLock(db: PoolClient): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCKS.TRIGGER}) as locked`);
  return rows[0]?.locked ?? false;
}

export async function unlock(db: PoolClient): Promise<void> {
  await db.query(`select pg_advisory_unlock(${LOCKS.TRIGGER})`);
}
