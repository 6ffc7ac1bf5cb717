import type { AvtaleField } from '@tiltak/avtale';
import { preparedStatement, type Query } from '../lookups/statement.ts';
import { GROUPINGS, type Grouping, type Unit } from './statistics.dto.ts';

/** The field of an avtale that each grouping tells of. */
export const GROUPED_FIELD: Record<Grouping, AvtaleField> = {
  TILTAKSTYPE: 'tiltakstype',
  STATUS: 'avtaleStatus',
  BEDRIFT: 'bedriftNr',
  MAANED: 'startDato',
  FASE: 'fase',
};

/** As the ingestor stores them: of no day, and of the day of the figures. */
export const NO_DAY = 'ALLE';
export const NOW = 'NAA';

const MAX_CELLS = 1_000;

/** The moment that the figures are of; no row when there are none. */
export const MOMENT: Query<{ tidspunkt: string }> = {
  statement: preparedStatement('select tidspunkt from statistikk_tidspunkt'),
  values: [],
};

export interface FigureRow {
  tidspunkt: string;
  dag: string;
  /** JSON: the values by `groupings`; null when nothing is told of the day */
  gruppe: string | null;
  antall: number;
  /** avtaler in all groups; null when not told */
  totalt: number | null;
}

export interface Wanted {
  /** in the order of `GROUPINGS` */
  groupings: readonly Grouping[];
  unit: Unit;
  /** undefined: phases are not looked at */
  faser: readonly string[] | undefined;
  /** as they are stored */
  days: readonly string[];
  /** only of employers below this unit, and of it; undefined: of all. Then it is counted by BEDRIFT */
  below: string | undefined;
}

export function inStoredOrder(groupings: readonly Grouping[]): Grouping[] {
  return GROUPINGS.filter((name) => groupings.includes(name));
}

/** What is told of the groups on each day: read as it was decided, nothing is counted here. At least a row for each day. */
export function figuresQuery({ groupings, unit, faser, days, below }: Wanted): Query<FigureRow> {
  const byPhase = groupings.includes('FASE');
  const looksAtPhase = byPhase || faser !== undefined;
  const stored = byPhase || faser === undefined ? groupings : [...groupings, 'FASE' as const];
  // The phase is the last value, and is summed over when it is not counted by.
  const last = String(stored.length);
  const group = stored === groupings ? 'verdier' : `verdier[1:${String(groupings.length)}]`;
  const phase = (place: string): string => (faser === undefined ? '' : `and verdier[${place}] = any($4::text[])`);
  const totalDay = faser === undefined ? `'${NO_DAY}'` : 'dag.dag';
  const count = unit === 'AVTALER' ? 'avtaler' : 'deltakere';
  const values = [days, stored.join(','), faser === undefined ? '' : 'FASE', ...(faser === undefined ? [] : [faser])];
  const unitsBelow = `with under as materialized (select nr from virksomheter_under($${String(values.length + 1)}) as nr)`;
  const isBelow = `and verdier[${String(groupings.indexOf('BEDRIFT') + 1)}] in (select nr from under)`;
  const text = `${below === undefined ? '' : unitsBelow}
    select tidspunkt, dag.dag, to_json(celle.gruppe)::text as gruppe, celle.antall,
      (select sum(avtaler)::int from statistikk_synlig
       where inndeling = $3 and statistikk_synlig.dag = ${totalDay} ${phase('1')}) as totalt
    from statistikk_tidspunkt cross join unnest($1::text[]) as dag (dag)
    left join lateral (
      select ${group} as gruppe, sum(${count})::int as antall from statistikk_synlig
      where inndeling = $2 and statistikk_synlig.dag = dag.dag and ${count} is not null ${looksAtPhase ? phase(last) : ''}
        ${below === undefined ? '' : isBelow}
      group by 1 order by 2 desc, 1 limit ${String(MAX_CELLS)}) celle on true`;
  return { statement: preparedStatement(text), values: [...values, ...(below === undefined ? [] : [below])] };
}
