import { preparedStatement, type Query } from '../lookups/statement.ts';
import { before, encodePosition, type FeedPosition } from './feed-position.ts';

/** How far back the feed reaches now. */
export interface FeedState {
  epoch: string;
  /** transactions before this one have had their changes removed */
  prunedUntil: bigint;
}

interface FeedStateRow {
  epoke: string;
  beskaaret_til: string;
}

export const FEED_STATE: Query<FeedStateRow> = {
  statement: preparedStatement('select endringsepoke() as epoke, beskaaret_til from instans'),
  values: [],
};

export function toFeedState([row]: FeedStateRow[]): FeedState {
  if (!row) throw new Error('The table instans is empty');
  return { epoch: row.epoke, prunedUntil: BigInt(row.beskaaret_til) };
}

interface SnapshotRow {
  epoke: string;
  xmin: string;
}

/** The place in the feed of what is read after it: that holds everything up to there, and perhaps some more. */
export const SNAPSHOT: Query<SnapshotRow> = {
  statement: preparedStatement(
    'select endringsepoke() as epoke, pg_snapshot_xmin(pg_current_snapshot())::text as xmin',
  ),
  values: [],
};

export function toSnapshotPosition([row]: SnapshotRow[]): string {
  if (!row) throw new Error('A select without a table gives one row');
  return encodePosition(row.epoke, before(BigInt(row.xmin)));
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

export function changesQuery({ tx, sequenceNumber }: FeedPosition, count: number): Query<ChangeRow> {
  return { statement: CHANGES, values: [tx.toString(), sequenceNumber.toString(), count] };
}

type LastChangeRow = Pick<ChangeRow, 'tx' | 'lopenr'>;

/** The last row that can be read; none when there is none. */
export const LAST_CHANGE: Query<LastChangeRow> = {
  statement: preparedStatement(`
  select tx, lopenr from endring where tx < pg_snapshot_xmin(pg_current_snapshot()) order by tx desc, lopenr desc limit 1`),
  values: [],
};

export function toPosition({ tx, lopenr }: LastChangeRow): FeedPosition {
  return { tx: BigInt(tx), sequenceNumber: BigInt(lopenr) };
}
