import { feedHorizon } from '@tiltak/database';
import { preparedStatement, type Query, type Statement } from '../lookups/statement.ts';
import { RESOURCES } from '../resources/resources.ts';
import { before, encodePosition, type FeedPosition } from './feed-position.ts';

/** What the positions of the feed mean now, and how far back it reaches. */
export interface FeedState {
  epoch: string;
  /** transactions before this one have had their changes removed */
  prunedUntil: bigint;
}

interface FeedStateRow {
  epoke: string;
  beskaaret_til: string;
}

/** A change feed, of avtaler or of another resource: its lines lie in a table, and tell of what has a key. */
export interface Feed {
  changes: Statement;
  end: Query<FeedEndRow>;
  /** where to begin again */
  start: { eksport: string; endringer: string };
}

/** Of avtaler. */
export const AVTALER_FEED = feedOf('endring', 'avtale_id', '', {
  eksport: '/api/v1/eksport',
  endringer: '/api/v1/endringer?fra=naa',
});

/**
 * Rows of transactions that have not ended, and of those that began after one that has not, are left for later: what
 * commits late would otherwise be passed by.
 *
 * Epoch and beginning of the feed are read by the same statement: between two, the feed could be trimmed, or another
 * server could answer, and what is gone would be passed by.
 *
 * @param name of the resource, empty for avtaler: a position of one feed means nothing in another
 */
export function feedOf(table: string, key: string, name: string, start: Feed['start']): Feed {
  // Worked out once, and not for each row beside it.
  const state = `with tilstand as materialized (select ${epochSql(name)} as epoke, beskaaret_til from ${feedHorizon(table)})`;
  return {
    changes: preparedStatement(`${state}
  select epoke, beskaaret_til, tx, lopenr, noekkel, type, aarsak, tidspunkt from tilstand left join lateral (
    select tx, lopenr, ${key} as noekkel, type, aarsak, tidspunkt from ${table}
    where (tx, lopenr) > ($1::xid8, $2::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot())
    order by tx, lopenr limit $3) linje on true
  order by tx, lopenr`),
    end: {
      statement: preparedStatement(`${state}
    select epoke, beskaaret_til, tx, lopenr from tilstand left join lateral (
      select tx, lopenr from ${table} where tx < pg_snapshot_xmin(pg_current_snapshot())
      order by tx desc, lopenr desc limit 1) siste on true`),
      values: [],
    },
    start,
  };
}

function epochSql(name: string): string {
  return name === '' ? 'endringsepoke()' : `(endringsepoke() || ' ${name}')`;
}

/** What positions of each feed are of, in an epoch of the database. */
export function epochsOf(epoch: string): string[] {
  return [epoch, ...RESOURCES.map(({ resource }) => `${epoch} ${resource.name}`)];
}

function toFeedState({ epoke: epoch, beskaaret_til: prunedUntil }: FeedStateRow): FeedState {
  return { epoch, prunedUntil: BigInt(prunedUntil) };
}

/** Where a reader without a position begins. */
export function beginningOf({ prunedUntil }: FeedState): FeedPosition {
  return prunedUntil > 0n ? before(prunedUntil) : { tx: 0n, sequenceNumber: 0n };
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

export function toSnapshot([row]: SnapshotRow[]): { epoch: string; xmin: bigint } {
  if (!row) throw new Error('A select without a table gives one row');
  return { epoch: row.epoke, xmin: BigInt(row.xmin) };
}

export function toSnapshotPosition(rows: SnapshotRow[]): string {
  const { epoch, xmin } = toSnapshot(rows);
  return encodePosition(epoch, before(xmin));
}

export interface ChangeRow {
  tx: string;
  lopenr: number;
  /** of what has changed */
  noekkel: string;
  type: string;
  aarsak: string | null;
  tidspunkt: string;
}

/** What comes after a position, and whether that position could be used, of one moment. */
export interface ChangesPage {
  state: FeedState;
  rows: ChangeRow[];
}

type ChangesRow = FeedStateRow & (ChangeRow | { tx: null });

/**
 * What comes after the position, in the order of the feed.
 *
 * @param after undefined: from the beginning
 */
export function changesQuery(
  after: FeedPosition | undefined,
  count: number,
  { changes }: Feed = AVTALER_FEED,
): Query<ChangesRow> {
  const { tx, sequenceNumber } = after ?? { tx: 0n, sequenceNumber: 0n };
  return { statement: changes, values: [tx.toString(), sequenceNumber.toString(), count] };
}

export function toChangesPage(rows: ChangesRow[]): ChangesPage {
  const [first] = rows;
  if (!first) throw new Error('The table instans is empty');
  return { state: toFeedState(first), rows: rows.filter((row) => row.tx !== null) };
}

/** The state of the feed, and its last row that can be read. */
export interface FeedEnd extends FeedState {
  /** undefined when there is none */
  last: FeedPosition | undefined;
}

type PlaceRow = Pick<ChangeRow, 'tx' | 'lopenr'>;
type FeedEndRow = FeedStateRow & (PlaceRow | { tx: null });

export function toFeedEnd([row]: FeedEndRow[]): FeedEnd {
  if (!row) throw new Error('The table instans is empty');
  return { ...toFeedState(row), last: row.tx === null ? undefined : toPosition(row) };
}

export function toPosition({ tx, lopenr }: PlaceRow): FeedPosition {
  return { tx: BigInt(tx), sequenceNumber: BigInt(lopenr) };
}
