import { columnName } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { rowsOf } from '../audit/rows.ts';
import { AVTALER_FEED, beginningOf, toFeedEnd } from '../changes/changes.queries.ts';
import { decodePosition, encodePosition, isAfter, type FeedPosition } from '../changes/feed-position.ts';
import { AVTALE_KEY, type SourceRow } from './columns.ts';
import { auditedAs, type Product } from './products.ts';

/** What was to be continued can't be: everything must be read anew. */
export class NotContinuedError extends Error {}

/** One moment of the database, and what is to be read of it. */
export interface Snapshot {
  /** place in the change feed: everything up to there is in it, and perhaps some more, which comes again */
  position: string;
  /** undefined: all avtaler */
  since: string | undefined;
  /** avtaler that are told of */
  rows: number;
  /** ordered by the month of the product's field; null without it */
  read: () => AsyncGenerator<(SourceRow & { maaned: string | null })[]>;
  /** avtaleId of those that have changed and are not there any more */
  readRemoved: () => AsyncGenerator<{ avtale_id: string }[]>;
}

/** With a limit of its own: as long as an export. */
const BEGIN = `begin isolation level repeatable read read only; set local statement_timeout = '60min'`;

/**
 * Reads in one snapshot, which is audited, and committed as that, before `use` is given anything of it.
 *
 * @param since position to continue from
 * @throws NotContinuedError when the feed doesn't tell any more what has happened since
 */
export async function inSnapshot<T>(
  db: Pool,
  { product, since, callId }: { product: Product; since?: string | undefined; callId: string },
  use: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const session = await db.connect();
  try {
    await session.query(BEGIN);
    const { position, from } = await readPlaces(session, since);
    const values = from ? [from.tx.toString(), from.sequenceNumber.toString()] : [];
    const [count] = (await session.query<Count>(from ? COUNT_CHANGED : COUNT_ALL, values)).rows;
    if (!count) throw new Error('A count gives one row');
    await audit(db, product, { position, since, hits: count.lines, callId });
    return await use({
      ...{ position, since, rows: count.rows },
      read: () => rowsOf(session, rowsSql(product, from !== undefined), values),
      readRemoved: () => (from ? rowsOf(session, REMOVED, values) : nothing()),
    });
  } finally {
    await session.query('rollback').finally(() => session.release());
  }
}

async function* nothing(): AsyncGenerator<never> {
  // Of all avtaler there are none to remove.
}

async function readPlaces(
  session: PoolClient,
  since: string | undefined,
): Promise<{ position: string; from: FeedPosition | undefined }> {
  // The place takes a lock on every month of the feed; rolled back to here it is let go, and the snapshot stays.
  await session.query('savepoint sted');
  const feed = toFeedEnd((await session.query(AVTALER_FEED.end.statement)).rows);
  await session.query('rollback to savepoint sted');
  const beginning = beginningOf(feed);
  const position = encodePosition(feed.epoch, feed.last ?? beginning);
  if (since === undefined) return { position, from: undefined };
  const from = decodePosition(feed.epoch, since);
  if (!from) throw new NotContinuedError('The position is from another epoch of the feed');
  if (isAfter(beginning, from)) throw new NotContinuedError('The position is older than what the feed tells of');
  return { position, from };
}

interface Count {
  rows: number;
  /** of the feed; of all avtaler their number */
  lines: number;
}

const CHANGED = `endret as materialized (select distinct avtale_id from endring
  where (tx, lopenr) > ($1::xid8, $2::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot()))`;

const COUNT_ALL = 'select count(*)::int as rows, count(*)::int as lines from avtale_analyse';
const COUNT_CHANGED = `with ${CHANGED}
  select (select count(*) from endret join avtale_analyse using (avtale_id))::int as rows, (select count(*) from endring
    where (tx, lopenr) > ($1::xid8, $2::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot()))::int as lines`;
const REMOVED = `with ${CHANGED} select avtale_id::text from endret
  where not exists (select from avtale_analyse a where a.avtale_id = endret.avtale_id)`;

/** Times with all their digits: pg's own dates have none below the millisecond. */
function rowsSql({ columns, maaned }: Product, isChanged: boolean): string {
  const read = [...new Set([AVTALE_KEY, ...columns].flatMap(({ reads }) => reads))];
  const times = new Set(columns.filter(({ type }) => type === 'TIMESTAMP').flatMap(({ reads }) => reads));
  const text = (column: string): string =>
    times.has(column) ? `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')` : `${column}::text`;
  const month = columnName(maaned);
  return `${isChanged ? `with ${CHANGED}` : ''}
    select to_char(${month}, 'YYYY-MM') as maaned, ${read.map((column) => `${text(column)} as ${column}`).join(', ')}
    from avtale_analyse a ${isChanged ? 'join endret using (avtale_id)' : ''}
    order by a.${month} nulls last`;
}

/**
 * As an export is: who got it, what for, of which fields, and where in the feed it was. So whoever looks for who has seen a
 * person finds it. What is since a position has the lines of the feed as its number, by which those are ruled out that the
 * feed did not tell of.
 */
async function audit(
  db: Pool,
  product: Product,
  { position, since, hits, callId }: { position: string; since: string | undefined; hits: number; callId: string },
): Promise<void> {
  const fields = [...new Set(product.columns.map(({ field }) => field))].sort();
  const form = [auditedAs(product), product.behandlingsgrunnlag.id, 'analyse', fields];
  const { rows } = await db.query<{ nr: string | null }>('select oppslagsform_nr($1, $2, $3, $4) as nr', form);
  const nr = rows[0]?.nr ?? null;
  await db.query(
    `insert into oppslagslinje (konsument, behandlingsgrunnlag, operasjon, felter, form, antall_treff, tillatt, call_uuid, posisjon, utvalg)
     values ($1, $2, $3, $4, $5, $6, true, $7, $8, $9)`,
    [
      ...(nr === null ? form : [null, null, null, null]),
      ...[nr, hits, callId, position, JSON.stringify(since === undefined ? { alle: true } : { etter: since })],
    ],
  );
}
