import { createHash } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { AvtaleFilter } from '../avtaler/avtaler.filter.ts';
import { asStored, KEYED_PLANS, withMoment } from '../lookups/reader.ts';
import type { Query } from '../lookups/statement.ts';

/** Of many avtaler, one in twenty is of this employer. */
export const LARGE_EMPLOYER = '910000001';
export const MOMENT = '2024-06-01T12:00:00Z';

/**
 * Avtaler as unevenly spread as real ones: one employer with one in twenty, a kind with 70 %, persons with one to five,
 * ten years of dates, values that are rare or unknown or not there, some that are hidden or deleted. Each has been
 * otherwise before: the version before differs in employer, kind, status and dates.
 */
export async function fillSkewed(owner: DataSource, count: number): Promise<void> {
  // They are made many times faster of what is there than row by row.
  const indexes = await owner.query<{ name: string; definition: string }[]>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
     where indrelid in ('avtale'::regclass, 'avtale_versjon'::regclass) and not indisprimary`,
  );
  await owner.query(indexes.map(({ name }) => `drop index ${name}`).join('; '));
  await fill(owner, count);
  for (const { definition } of indexes) await owner.query(`set statement_timeout = 0; ${definition}`);
  await owner.query('set statement_timeout = 0; analyze avtale, avtale_versjon');
}

async function fill(owner: DataSource, count: number): Promise<void> {
  await owner.query(`
    set statement_timeout = 0;
    insert into avtale (avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, avtale_status,
      avtale_inngaatt, start_dato, slutt_dato, feilregistrert, slettet, sist_endret, mottatt, opprettet_tidspunkt,
      kilde_partisjon, kilde_offset, har_vaert_inngaatt)
    select md5('a' || n)::uuid, n, lpad((n - n % (1 + n % 5))::text, 11, '0'), md5('p' || (n - n % (1 + n % 5)))::uuid,
      case when a < 5 then '${LARGE_EMPLOYER}' when a = 99 and b = 0 then null else (920000000 + b % greatest(${String(count)} / 20, 1))::text end,
      case when c < 700 then 'ARBEIDSTRENING' when c < 900 then (array['MENTOR', 'SOMMERJOBB', 'VTAO'])[1 + d % 3]
        when c < 998 then 'INKLUDERINGSTILSKUDD' when d % 10 = 0 then 'NYTT_TILTAK' when d % 10 = 1 then null
        when d % 10 = 2 then 'ET_ANNET' else 'FIREARIG_LONNSTILSKUDD' end,
      case when d < 750 then 'AVSLUTTET' when d < 870 then 'GJENNOMFØRES' when d < 960 then 'ANNULLERT'
        when d < 998 then 'PÅBEGYNT' when e % 10 = 0 then 'PÅ_VENT' when e % 10 = 1 then null else 'AVBRUTT' end,
      case when e % 7 > 0 then timestamptz '2016-01-01' end,
      case when e % 100 > 0 then date '2016-01-01' + (b % 4000)::int end,
      case when e % 33 > 0 then date '2016-01-01' + (b % 4000)::int + (c % 360)::int end,
      e % 97 = 0, case when e % 89 = 0 then 'GRAVSTEIN' end, timestamptz '2016-01-01' + n % 4000 * interval '1 day',
      timestamptz '2025-01-01', timestamptz '2016-01-01', 0, n, e % 5 > 0
    from (select n, hashint8(n)::bigint & 2147483647 as h from generate_series(1, ${String(count)}) n) t,
      lateral (select h % 100 as a, (h / 100) % 1000000 as b,
        (hashint8extended(n, 2) & 1048575) % 1000 as d, (hashint8extended(n, 3) & 1048575) as e) x,
      lateral (select (hashint8extended(n, 4) & 1048575) % 1000 as c) y`);
  await owner.query(`
    set statement_timeout = 0;
    insert into avtale_versjon (avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, avtale_status,
      avtale_inngaatt, start_dato, slutt_dato, feilregistrert, sist_endret, kilde_partisjon, kilde_offset,
      har_vaert_inngaatt, laert, ny_deltaker, ny_bedrift)
    select avtale_id, avtale_nr, deltaker_fnr, deltaker_id,
      case when er_foer and avtale_nr % 10 = 0 then '${LARGE_EMPLOYER}' else bedrift_nr end,
      case when er_foer and avtale_nr % 10 = 1 then 'VTAO' else tiltakstype end,
      case when er_foer then 'PÅBEGYNT' else avtale_status end, avtale_inngaatt,
      start_dato - case when er_foer then 30 else 0 end, slutt_dato, feilregistrert and not er_foer, sist_endret,
      kilde_partisjon, kilde_offset, har_vaert_inngaatt,
      -- Some were not known yet.
      timestamptz '2024-01-01' + case when er_foer then avtale_nr % 200 * interval '1 day' else interval '1 year' end,
      er_foer, er_foer or avtale_nr % 10 = 0
    from avtale cross join (values (true), (false)) as versjon(er_foer)
    where slettet is null order by avtale_id, er_foer desc`);
}

/** Units with all employers of a million avtaler below them in two levels: how many establishments, and how many of them have any. */
export const LARGE_UNITS = [
  { hovedenhet: '800000100', establishments: 50, withAvtaler: 50 },
  { hovedenhet: '800000200', establishments: 5_000, withAvtaler: 4_900 },
  { hovedenhet: '800000300', establishments: 5_000, withAvtaler: 100 },
  { hovedenhet: '800000400', establishments: 50_000, withAvtaler: 500 },
  { hovedenhet: '800000500', establishments: 50_000, withAvtaler: 44_000 },
];

/** Beside them, so many others as there are in the national register. */
export async function fillUnits(owner: DataSource, others: number): Promise<void> {
  const columns = `organisasjonsnummer, overordnet_enhet, hovedenhet, kommunenummer, naeringskode, organisasjonsform, navn,
    kilde_epoke, kilde_partisjon, kilde_offset`;
  const told = `lpad((n % 357)::text, 4, '0'), (10 + n % 80) || '.' || n % 10, case when n % 9 = 0 then 'ENK' else 'BEDR' end, 'Enhet ' || n, 0, 0, n`;
  await owner.query('set statement_timeout = 0');
  let employer = 920_000_000;
  for (const [place, { hovedenhet, establishments, withAvtaler }] of LARGE_UNITS.entries()) {
    await owner.query(
      `insert into virksomhet (${columns})
       select ($1::text::int + n)::text, case when n > 0 then $1::text end, case when n > 0 then $1::text end, ${told} from generate_series(0, 10) n
       union all
       select (case when n < $2 then $3 + n else $4 + n end)::text, ($1::text::int + 1 + n % 10)::text, $1::text, ${told}
       from generate_series(0, $5::int - 1) n`,
      [hovedenhet, withAvtaler, employer, 810_000_000 + 1_000_000 * place, establishments],
    );
    employer += withAvtaler;
  }
  await owner.query(
    `insert into virksomhet (${columns})
     select (940000000 + n)::text, case when n % 2 = 1 then (939999999 + n)::text end, case when n % 2 = 1 then (939999999 + n)::text end, ${told}
     from generate_series(0, $1::int - 1) n`,
    [others],
  );
  await owner.query('vacuum analyze virksomhet');
}

/** As those that are filled in have them. */
function skewedDeltakerId(ident: string): string {
  const hash = createHash('md5')
    .update(`p${String(Number(ident))}`)
    .digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const ident = (n: number): string => String(n).padStart(11, '0');

/** A value of each filter that many match, some, and few. Ids are of the avtaler filled in. */
export function filterValues(
  avtaleIder: string[],
  deltakerId: string,
): { [Name in keyof AvtaleFilter]-?: AvtaleFilter[Name][] } {
  return {
    personidenter: [[ident(3)], Array.from({ length: 100 }, (_, n) => ident(n))],
    deltakerId: [deltakerId],
    avtaleIder: [avtaleIder],
    bedriftsnumre: [[LARGE_EMPLOYER], ['920000003', '920000004', LARGE_EMPLOYER, '920000003']],
    hovedenhet: [LARGE_EMPLOYER],
    tiltakstyper: [['ARBEIDSTRENING'], ['UKJENT'], ['MENTOR', 'VTAO', 'UKJENT']],
    statuser: [['AVSLUTTET', 'GJENNOMFORES'], ['UKJENT'], ['AVBRUTT']],
    faser: [['PAAGAAR'], ['AVSLUTTET', 'UTKAST'], ['IKKE_INNGAATT_PAA_NYTT'], ['PLANLAGT']],
    faseDato: ['2016-01-02', '2020-06-01'],
    periode: [
      { fra: '2020-01-01', til: '2020-01-07' },
      { fra: '2027-10-20' },
      { til: '2016-01-02' },
      { fra: '2018-01-01' },
    ],
    endretEtter: ['2020-01-01T00:00:00Z', '2026-12-12T12:00:00Z'],
    gjeldendePer: [MOMENT],
  };
}

/** What the database read of tables for a query: rows given on by scans, and those that they threw away. */
export async function readsOf<Row extends pg.QueryResultRow>(
  db: pg.ClientBase,
  { statement, values, keys }: Query<Row>,
  plans: 'force_generic_plan' | 'force_custom_plan' = 'force_generic_plan',
): Promise<{ read: number; rows: number; ms: number; text: string }> {
  const types = keys?.types ?? [];
  await db.query(`${KEYED_PLANS}; set plan_cache_mode = ${plans}`);
  await db.query(`prepare maalt${types.length > 0 ? `(${types.join(', ')})` : ''} as ${withMoment(statement).text}`);
  try {
    const args = asStored(values, skewedDeltakerId).map(literal).join(', ');
    const { rows: found } = await db.query<{ naadd?: string | null; row_found: boolean | null }>(
      `execute maalt${args === '' ? '' : `(${args})`}`,
    );
    const answered = found.filter(({ naadd, row_found: isRow }) => isRow === true && (naadd ?? null) === null).length;
    const { rows } = await db.query<{ 'QUERY PLAN': { Plan: PlanNode; 'Execution Time': number }[] }>(
      `explain (analyze, format json) execute maalt${args === '' ? '' : `(${args})`}`,
    );
    const [{ Plan: plan, 'Execution Time': ms }] = rows[0]?.['QUERY PLAN'] as [
      { Plan: PlanNode; 'Execution Time': number },
    ];
    return { read: readsIn(plan), rows: answered, ms, text: JSON.stringify(plan, null, 1) };
  } finally {
    await db.query('deallocate maalt');
  }
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

function readsIn(node: PlanNode): number {
  const below = (node.Plans ?? []).reduce((sum, part) => sum + readsIn(part), 0);
  // Of the moment, which has a row for each partition.
  if (['konsum_status', 'ressurs_status', undefined].includes(node['Relation Name'])) return below;
  const each =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return below + each * node['Actual Loops'];
}

function literal(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((part) => JSON.stringify(part)).join(',')}}`);
  return pg.escapeLiteral(String(value));
}
