import { published } from './sok.ts';

/** Who is on a measure, as a team would write it, with the answer that the query-api gives, to the byte. */
export interface StatusRow {
  deltaker_fnr: string;
  tiltakstype: string | null;
  avtale_status: string | null;
  start_dato: string;
  slutt_dato: string | null;
  fase: string;
  annullert_underveis: boolean;
  last_day: string | null;
  grunn: string | null;
}

export const STATUS = `
  select deltaker_fnr, tiltakstype, avtale_status, start_dato, slutt_dato, fase, annullert_underveis, last_day, grunn from (
    select *,
      fase($2::date, start_dato, slutt_dato, avtale_inngaatt is not null, har_vaert_inngaatt, annullert, annullert_dag, annullert_underveis, fra_arena) as fase,
      case when annullert_underveis then least(slutt_dato, annullert_dag - 1) else slutt_dato end as last_day,
      case when annullert_underveis then 'ANNULLERT_UNDERVEIS'
        when avtale_inngaatt is null then 'IKKE_INNGAATT_PAA_NYTT' end as grunn
    from avtale_synlig where deltaker_fnr = any($1::text[]) and (har_vaert_inngaatt or fra_arena)
      and (annullert_underveis or not annullert)) a
  where start_dato <= coalesce(last_day, 'infinity') and (last_day is not null or grunn is distinct from 'IKKE_INNGAATT_PAA_NYTT')
  order by start_dato, slutt_dato, avtale_id`;

export function toStatusAnswer(persons: string[], date: string, rows: StatusRow[]): object {
  const perPerson = Map.groupBy(rows, (row) => row.deltaker_fnr);
  return {
    dato: date,
    personer: persons.map((person) => ofPerson(person, date, perPerson.get(person) ?? [])),
    dekning: [],
  };
}

function ofPerson(personident: string, date: string, rows: StatusRow[]): object {
  const asked = rows.filter((row) => row.start_dato <= date && (row.last_day ?? '~') >= date);
  const certain = asked.filter(({ grunn }) => grunn === null);
  const uncertain = asked.filter(({ grunn }) => grunn !== null);
  const reasons = certain.length > 0 ? [] : [...new Set(uncertain.map(({ grunn }) => grunn))];
  return {
    personident,
    paaTiltak: certain.length > 0,
    svar: certain.length > 0 ? 'JA' : reasons.length > 0 ? 'UAVKLART' : 'NEI',
    grunner: reasons,
    ...extentOf(certain),
    tiltak: certain.map(toTiltak),
    uavklarte: uncertain.map((row) => ({
      ...toTiltak(row),
      annullertUnderveis: row.grunn === 'ANNULLERT_UNDERVEIS',
      grunn: row.grunn,
    })),
    varighet: durationsOf(rows, date),
  };
}

function toTiltak(row: StatusRow): object {
  return {
    ...kindOf(row),
    ...(row.avtale_status === null ? {} : { avtaleStatus: published('avtaleStatus', row.avtale_status) }),
    startDato: row.start_dato,
    sluttDato: row.slutt_dato,
    fase: row.fase,
    ...(row.annullert_underveis ? { annullertUnderveis: true } : {}),
    sisteDag: row.last_day,
  };
}

const kindOf = ({ tiltakstype }: StatusRow): object =>
  tiltakstype === null ? {} : { tiltakstype: published('tiltakstype', tiltakstype) };

function extentOf(certain: StatusRow[]): object {
  if (certain.length === 0) return { antall: 0, fra: null, til: null, antallDager: 0 };
  const first = certain.map(({ start_dato: from }) => from).sort()[0] ?? '';
  const lasts = certain.map(({ last_day: to }) => to ?? '~').sort();
  const last = lasts.at(-1) ?? '~';
  const open = last === '~';
  return {
    antall: certain.length,
    fra: first,
    til: open ? null : last,
    antallDager: open ? null : daysFrom(first, last) + 1,
  };
}

interface Days {
  first: string;
  /** `~` when it goes on */
  last: string;
}

function durationsOf(rows: StatusRow[], date: string): object[] {
  const perKind = Map.groupBy(
    rows.filter(({ grunn }) => grunn === null),
    ({ tiltakstype }) => tiltakstype && published('tiltakstype', tiltakstype),
  );
  return [...perKind.values()].map((ofKind) => {
    const days = union(ofKind);
    const gaps = days.slice(1).map(({ first }, i) => daysFrom(days[i]?.last ?? first, first) - 1);
    const untilNow = days.flatMap(({ first, last }) => {
      const to = last < date ? last : date;
      return first <= to ? daysFrom(first, to) + 1 : [];
    });
    const [row] = ofKind;
    return {
      ...(row ? kindOf(row) : {}),
      fra: days[0]?.first,
      dagerHittil: sum(untilNow),
      dagerPlanlagt: days.at(-1)?.last === '~' ? null : sum(days.map(({ first, last }) => daysFrom(first, last) + 1)),
      antallOpphold: gaps.length,
      dagerOpphold: sum(gaps),
    };
  });
}

function union(rows: StatusRow[]): Days[] {
  const joined: Days[] = [];
  for (const { start_dato: first, last_day } of rows) {
    const last = last_day ?? '~';
    const open = joined.at(-1);
    if (!open || (open.last !== '~' && daysFrom(open.last, first) > 1)) joined.push({ first, last });
    else if (last > open.last) open.last = last;
  }
  return joined;
}

const daysFrom = (first: string, last: string): number => (Date.parse(last) - Date.parse(first)) / 86_400_000;
const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
