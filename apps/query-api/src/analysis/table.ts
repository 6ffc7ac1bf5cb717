import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { AVTALE_KEY, type ColumnType, type Value } from './columns.ts';
import type { ProductKeys } from './keys.ts';
import type { Product } from './products.ts';
import { inSnapshot, NotContinuedError, type Snapshot } from './snapshot.ts';

/** The table of a product is not made of the columns that its file says now. */
export class TableError extends Error {}

interface TableResult {
  slag: 'ALT' | 'ENDRINGER';
  posisjon: string;
  rader: number;
  fjernet: number;
  /** why not only what has changed */
  instead?: string | undefined;
}

interface Copying {
  product: Product;
  keys: ProductKeys;
  callId: string;
}

/**
 * Brings the table of a product up to now, in a database of its own: what its publication publishes is that table, and
 * there is nothing else in the database to publish. Rows and position are of one transaction.
 *
 * @param target connected as the owner of that database
 * @throws TableError when the columns are others than before
 */
export async function copyToTable(db: Pool, target: Pool, copying: Copying): Promise<TableResult> {
  const { product, keys } = copying;
  const session = await target.connect();
  try {
    await session.query('begin');
    await session.query(`select pg_advisory_xact_lock(${LOCKS.ANALYSIS_TABLE})`);
    const state = await prepare(session, product);
    const result = await copy(db, session, copying, state);
    await session.query(
      `insert into intern.tilstand (produkt, posisjon, noekkelkontroll) values ($1, $2, $3)
       on conflict (produkt) do update set posisjon = excluded.posisjon, noekkelkontroll = excluded.noekkelkontroll, skrevet = now()`,
      [product.produkt, result.posisjon, keys.check],
    );
    await session.query('commit');
    return result;
  } catch (error) {
    await session.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    session.release();
  }
}

interface State {
  posisjon: string;
  noekkelkontroll: string;
}

async function copy(
  db: Pool,
  session: PoolClient,
  { product, keys, callId }: Copying,
  state: State | undefined,
): Promise<TableResult> {
  const since = state?.noekkelkontroll === keys.check ? state.posisjon : undefined;
  const run = (from: string | undefined): Promise<TableResult> =>
    inSnapshot(db, { product, since: from, callId }, (snapshot) => lay(session, snapshot, product, keys));
  try {
    return await run(since);
  } catch (error) {
    if (!(error instanceof NotContinuedError)) throw error;
    return { ...(await run(undefined)), instead: error.message };
  }
}

const TYPES: Readonly<Record<ColumnType, string>> = {
  TEXT: 'text',
  INTEGER: 'integer',
  DECIMAL: 'numeric(18,6)',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIMESTAMP: 'timestamp(6) with time zone',
};

const tableName = ({ produkt }: Pick<Product, 'produkt'>): string => produkt.replaceAll('-', '_');
export const publicationName = (product: Pick<Product, 'produkt'>): string => `analyse_${tableName(product)}`;

const quoted = (name: string): string => `"${name}"`;

/** The table, and its publication, which names its columns: one that came later would not be published. */
async function prepare(session: PoolClient, product: Product): Promise<State | undefined> {
  const table = `produkter.${quoted(tableName(product))}`;
  const columns = product.columns.map(
    ({ name, type }) => `${quoted(name)} ${TYPES[type]}${name === AVTALE_KEY.name ? ' primary key' : ''}`,
  );
  const names = product.columns.map(({ name }) => quoted(name)).join(', ');
  await session.query(`
    create schema if not exists produkter;
    create schema if not exists intern;
    create table if not exists intern.tilstand (produkt text primary key, posisjon text not null,
      noekkelkontroll uuid not null, skrevet timestamptz not null default now());
    create table if not exists ${table} (${columns.join(', ')});
    grant usage on schema produkter to datadeling_replikering;
    grant select on ${table} to datadeling_replikering;
  `);
  await requireColumns(session, product);
  const publication = publicationName(product);
  const { rowCount } = await session.query('select from pg_publication where pubname = $1', [publication]);
  if (rowCount === 0) await session.query(`create publication ${publication} for table ${table} (${names})`);
  const { rows } = await session.query<State>(
    'select posisjon, noekkelkontroll from intern.tilstand where produkt = $1',
    [product.produkt],
  );
  return rows[0];
}

/** A subscriber has a table like it, which does not follow: a change is made by hand, at both ends (docs/analyse.md). */
async function requireColumns(session: PoolClient, product: Product): Promise<void> {
  const { rows } = await session.query<{ column: string }>(
    `select attname || ' ' || format_type(atttypid, atttypmod) as column from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attname`,
    [`produkter.${quoted(tableName(product))}`],
  );
  const found = rows.map(({ column }) => column);
  const wanted = product.columns.map(({ name, type }) => `${name} ${TYPES[type]}`);
  if (found.toSorted().join() !== wanted.toSorted().join())
    throw new TableError(`The table of ${product.produkt} has the columns ${found.join(', ')}: drop it first`);
}

/** Only what is another is written: all that is written is replicated. */
async function lay(
  session: PoolClient,
  snapshot: Snapshot,
  { produkt, columns }: Product,
  keys: ProductKeys,
): Promise<TableResult> {
  const table = `produkter.${quoted(tableName({ produkt }))}`;
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const key = quoted(AVTALE_KEY.name);
  await session.query(`create temporary table ny (like ${table}) on commit drop;
    create temporary table borte (${key} text) on commit drop`);
  for await (const rows of snapshot.read()) {
    const made = rows.map((row) => objectOf(columns.map((column) => [column.name, column.valueOf(row, keys)])));
    await insertRows(session, 'ny', made);
  }
  const isAll = snapshot.since === undefined;
  for await (const rows of snapshot.readRemoved())
    await insertRows(
      session,
      'borte',
      rows.map((row) => ({ [AVTALE_KEY.name]: AVTALE_KEY.valueOf(row, keys) })),
    );
  await session.query('analyze ny');
  const gone = isAll
    ? `not exists (select from ny where ny.${key} = t.${key})`
    : `t.${key} in (select ${key} from borte)`;
  const removed = await session.query(`delete from ${table} t where ${gone}`);
  await session.query(
    `insert into ${table} as t (${names}) select ${names} from ny
     on conflict (${key}) do update set (${names}) = row (${columns.map(({ name }) => `excluded.${quoted(name)}`).join(', ')})
     where t.* is distinct from excluded.*`,
  );
  const slag = isAll ? 'ALT' : 'ENDRINGER';
  return { slag, posisjon: snapshot.position, rader: snapshot.rows, fjernet: removed.rowCount ?? 0 };
}

const objectOf = (cells: [string, Value][]): Record<string, Value> => Object.fromEntries(cells);

async function insertRows(session: PoolClient, table: 'ny' | 'borte', rows: Record<string, Value>[]): Promise<void> {
  await session.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [
    JSON.stringify(rows),
  ]);
}
