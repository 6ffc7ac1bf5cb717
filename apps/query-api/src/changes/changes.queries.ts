import type { Reader } from '../lookups/reader.ts';
import { preparedStatement } from '../lookups/reader.ts';
import type { FeedPosition } from './feed-position.ts';

/** How far the feed reaches now. */
export interface FeedState {
  epoke: string;
  /** transactions before this one have had their changes removed */
  prunedUntil: bigint;
  /** every transaction before this one has ended: what it wrote is there, and nothing more can come */
  xmin: bigint;
}

const STREAM = preparedStatement(`
  select endringsepoke() as epoke, beskaaret_til, pg_snapshot_xmin(pg_current_snapshot()) as xmin from instans`);

export async function readFeedState(reading: Reader): Promise<FeedState> {
  const [row] = await reading.query<{ epoke: string; beskaaret_til: string; xmin: string }>(STREAM, []);
  if (!row) throw new Error('The table instans is empty');
  return { epoke: row.epoke, prunedUntil: BigInt(row.beskaaret_til), xmin: BigInt(row.xmin) };
}

export interface ChangeRow {
  tx: string;
  lopenr: number;
  avtale_id: string;
  type: string;
  aarsak: string | null;
  tidspunkt: string;
}

/**
 * What comes after the position, in the order of the feed. Rows of transactions that have not ended, and of those that
 * began after one that has not, are left for later: what commits late would otherwise be passed by.
 */
const CHANGES = preparedStatement(`
  select tx, lopenr, avtale_id, type, aarsak, tidspunkt from endring
  where (tx, lopenr) > ($1::xid8, $2::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot())
  order by tx, lopenr limit $3`);

export function readChanges(
  reading: Reader,
  { tx, sequenceNumber }: FeedPosition,
  count: number,
): Promise<ChangeRow[]> {
  return reading.query<ChangeRow>(CHANGES, [tx.toString(), sequenceNumber.toString(), count]);
}

const LAST = preparedStatement(`
  select tx, lopenr from endring where tx < pg_snapshot_xmin(pg_current_snapshot()) order by tx desc, lopenr desc limit 1`);

/** The last row that can be read; undefined when there is none. */
export async function readLast(reading: Reader): Promise<FeedPosition | undefined> {
  const [row] = await reading.query<{ tx: string; lopenr: number }>(LAST, []);
  return row && { tx: BigInt(row.tx), sequenceNumber: BigInt(row.lopenr) };
}

export function isAfter(a: FeedPosition, b: FeedPosition): boolean {
  return a.tx > b.tx || (a.tx === b.tx && a.sequenceNumber > b.sequenceNumber);
}
