import { CODE_VALUES, UKJENT } from '@tiltak/avtale';
import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { copyField, copyRow, copyRows } from '../database/copy.ts';
import { keyOf, type Figure, type Group, type Table } from './publish.ts';
import type { Dimension } from './tables.ts';

/** Of no day: phases are not looked at. */
export const NO_DAY = 'ALLE';
/** Of the day that the figures are of. */
export const NOW = 'NAA';

/** The hour in Oslo: after the source's nightly jobs, before anybody is at work. */
const HOUR = 5;

/** A busy source is not quiet for this long; of a first load, it is the end. */
const QUIET_SECONDS = 10;

/** The generation that is served. */
export interface Generation {
  number: number;
  /** RFC 3339 */
  moment: string;
}

export async function readGeneration(db: Pool | PoolClient): Promise<Generation | undefined> {
  const { rows } = await db.query<{ generasjon: string; tidspunkt: Date }>(
    'select generasjon, tidspunkt from statistikk_tidspunkt',
  );
  const [row] = rows;
  return row && { number: Number(row.generasjon), moment: row.tidspunkt.toISOString() };
}

/**
 * Whether the moment of the day has been and no figures are of it or later, and all that the source published up to it is
 * stored: of this topic, since a status of one that was read before stands still for ever. The first figures wait for no moment but the end of the first load.
 */
export async function isDue(pool: Pool, topic: string): Promise<boolean> {
  const { rows } = await pool.query<{ due: boolean }>(
    `
    with fast as (
      select (date_trunc('day', now() at time zone 'Europe/Oslo' - interval '${String(HOUR)} hours')
        + interval '${String(HOUR)} hours') at time zone 'Europe/Oslo' as tidspunkt
    ), lest as (
      select case when bool_and(oppdatert_til is not null) then min(oppdatert_til) end as til from konsum_status
      where topic = $1
    )
    select coalesce(case
      when exists (select from statistikk_tidspunkt)
        then (select tidspunkt from statistikk_tidspunkt) < fast.tidspunkt and lest.til >= fast.tidspunkt
      else lest.til > now() - interval '1 minute'
        and (select max(mottatt) from avtale) < now() - interval '${String(QUIET_SECONDS)} seconds'
    end, false) as due
    from fast, lest`,
    [topic],
  );
  return rows[0]?.due === true;
}

/** One at a time in all ingestors; until `unlock`, or until the connection ends. */
export async function tryLock(db: PoolClient): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCKS.STATISTICS}) as locked`);
  return rows[0]?.locked === true;
}

export async function unlock(db: PoolClient): Promise<void> {
  await db.query(`select pg_advisory_unlock(${LOCKS.STATISTICS})`);
}

/** As it is published. What this release doesn't know is one group. */
function codeExpression(
  column: string,
  codes: { known: readonly string[]; fromSource: (raw: string) => string },
): string {
  const cases = codes.known.map((raw) => `when '${raw}' then '${codes.fromSource(raw)}'`);
  return `case when ${column} is not null then case ${column} ${cases.join(' ')} else '${UKJENT}' end end`;
}

/** How the value of a row is worked out; $1 is the day that phases are of. */
const EXPRESSION: Record<Dimension, string> = {
  TILTAKSTYPE: codeExpression('tiltakstype', CODE_VALUES.tiltakstype),
  STATUS: codeExpression('avtale_status', CODE_VALUES.avtaleStatus),
  BEDRIFT: `nullif(bedrift_nr, '')`,
  MAANED: `to_char(start_dato, 'YYYY-MM')`,
  FASE: `fase($1::date, start_dato, slutt_dato, avtale_inngaatt is not null, har_vaert_inngaatt, annullert, annullert_dag,
    annullert_underveis, fra_arena)`,
};

interface GroupRow {
  verdier: (string | null)[];
  avtaler: number;
  deltakere: number;
  personer: number;
}

/** Every group of what consumers may see. @param day needed when a dimension is FASE */
export async function readGroups(db: PoolClient, dimensions: readonly Dimension[], day: string): Promise<Group[]> {
  const usesDay = dimensions.includes('FASE');
  const names = dimensions.map((name) => name.toLowerCase());
  const values = dimensions.map((name, i) => `${EXPRESSION[name]} as gruppens_${names[i] ?? ''}`);
  const columns = names.map((name) => `gruppens_${name}`);
  const { rows } = await db.query<GroupRow>(
    // Twice, by hashing: different participants counted in one go would have all avtaler sorted, by text.
    `select array[${columns.join(', ')}]::text[] as verdier, sum(antall)::int as avtaler, count(deltaker_id)::int as deltakere,
       (count(deltaker_id) + coalesce(sum(antall) filter (where deltaker_id is null), 0))::int as personer
     from (
       select ${[...values, 'deltaker_id', 'count(*) as antall'].join(', ')} from avtale_synlig
       group by ${[...columns, 'deltaker_id'].join(', ')}) per_deltaker
     ${columns.length > 0 ? `group by ${columns.join(', ')}` : ''} having count(*) > 0`,
    usesDay ? [day] : [],
  );
  return rows.map(({ verdier, personer, ...sizes }) => ({ values: verdier, persons: personer, ...sizes }));
}

interface FigureRow {
  verdier: (string | null)[];
  avtaler: number;
  deltakere: number | null;
  synlig: boolean;
}

export async function readTable(
  db: PoolClient,
  generation: Generation,
  division: string,
  day: string,
): Promise<Table | undefined> {
  const { rows } = await db.query<FigureRow>(
    `select verdier, avtaler, deltakere, synlig from statistikk where generasjon = $1 and inndeling = $2 and dag = $3`,
    [generation.number, division, day],
  );
  if (rows.length === 0) return undefined;
  return new Map(
    rows.map(({ verdier, synlig, ...sizes }) => [keyOf(verdier), { values: verdier, visible: synlig, ...sizes }]),
  );
}

export async function insertFigures(
  db: PoolClient,
  place: { generation: number; division: string; day: string },
  figures: Iterable<Figure>,
): Promise<void> {
  const rows = Array.from(figures, ({ values, avtaler, deltakere, visible }) =>
    copyRow(
      [place.generation, place.division, place.day, arrayLiteral(values), avtaler, deltakere, visible].map(copyField),
    ),
  );
  await copyRows(db, 'statistikk (generasjon, inndeling, dag, verdier, avtaler, deltakere, synlig)', rows);
}

function arrayLiteral(values: readonly (string | null)[]): string {
  const elements = values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`));
  return `{${elements.join(',')}}`;
}

/** What an ingestor that was ended had begun, and what is no longer served. */
export async function deleteOthers(pool: Pool, served: number | undefined): Promise<void> {
  await pool.query('delete from statistikk where generasjon is distinct from $1', [served ?? null]);
}

/** From now on this is what consumers get. */
export async function serve(pool: Pool, { number, moment }: Generation): Promise<void> {
  await pool.query(
    `insert into statistikk_tidspunkt (generasjon, tidspunkt) values ($1, $2)
     on conflict (id) do update set generasjon = excluded.generasjon, tidspunkt = excluded.tidspunkt`,
    [number, moment],
  );
}
