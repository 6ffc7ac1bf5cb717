import { CODE_VALUES, FASER, UKJENT, type Fase } from '@tiltak/avtale';
import { Persons } from '../lookups/statement.ts';
import type { Selection } from './avtaler.fields.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';
import { osloDaySql, phaseSql, TODAY } from './fase.sql.ts';
import { personCondition } from './persons.sql.ts';

/** The values of a statement, each with the type that it has there. */
export class Params {
  readonly values: unknown[] = [];
  readonly types: string[] = [];

  /** @returns the value, as the statement names it */
  add(value: unknown, type: string): string {
    this.types.push(type);
    return `$${String(this.values.push(value))}::${type}`;
  }
}

/** Nothing can match, whatever there is: no avtale is in a phase that nobody knows. */
export function isOfNothing({ faser, tiltakstyper }: AvtaleFilter): boolean {
  return tiltakstyper?.length === 0 || (faser !== undefined && knownPhases(faser).length === 0);
}

function knownPhases(faser: readonly Fase[]): Fase[] {
  return FASER.filter((fase) => fase !== UKJENT && faser.includes(fase));
}

/** All of what a filter asks of a row of `avtale_synlig` or `avtale_versjon_synlig`. */
export function conditionsOf(filter: AvtaleFilter, phaseDay: string, params: Params): string[] {
  const conditions: string[] = [];
  if (filter.personidenter) conditions.push(personCondition(params.add(new Persons(filter.personidenter), 'uuid[]')));
  if (filter.deltakerId) conditions.push(personCondition(params.add([filter.deltakerId], 'uuid[]')));
  if (filter.bedriftsnumre) conditions.push(employerCondition(filter.bedriftsnumre, params));
  if (filter.hovedenhet !== undefined) conditions.push(isBelow('bedrift_nr', params.add(filter.hovedenhet, 'text')));
  if (filter.avtaleIder) conditions.push(`avtale_id = any(${params.add(filter.avtaleIder, 'uuid[]')})`);
  if (filter.tiltakstyper)
    conditions.push(codeCondition('tiltakstype', CODE_VALUES.tiltakstype, filter.tiltakstyper, params));
  if (filter.statuser)
    conditions.push(codeCondition('avtale_status', CODE_VALUES.avtaleStatus, filter.statuser, params));
  if (filter.periode) {
    const { fra: from, til: to } = filter.periode;
    conditions.push(to === undefined ? 'start_dato is not null' : `start_dato <= ${params.add(to, 'date')}`);
    if (from !== undefined) conditions.push(`(slutt_dato >= ${params.add(from, 'date')} or slutt_dato is null)`);
  }
  if (filter.endretEtter) conditions.push(`sist_endret > ${params.add(filter.endretEtter, 'timestamptz')}`);
  if (filter.faser) conditions.push(`${phaseSql(phaseDay)} = any(${params.add(knownPhases(filter.faser), 'text[]')})`);
  return conditions;
}

/**
 * Whether a unit is another, or below it: found upwards, from the one that is asked about, and so at the same cost however
 * many there are below. Most are told apart by the top of their chain, as it is stored.
 *
 * @param over of the statement
 */
export function isBelow(unit: string, over: string): string {
  return `coalesce(${unit} = ${over} or (${ofUnit('hovedenhet', unit)} = ${topOf(over)}
    and ((select ${ofUnit('overordnet_enhet', over)} is null) or virksomheter_under_har(${over}, ${unit}))), false)`;
}

/** The top of the chain of a unit, as it is stored, or itself: all below it have the same. Worked out once for a statement. */
export function topOf(unit: string): string {
  return `(select coalesce(${ofUnit('hovedenhet', unit)}, ${unit}))`;
}

function ofUnit(column: string, unit: string): string {
  return `(select v.${column} from virksomhet_synlig v where v.organisasjonsnummer = ${unit})`;
}

/** Of one, its rows come in the order of the index, and no more of them are read than a page has. */
function employerCondition(bedriftsnumre: readonly string[], params: Params): string {
  const [only, ...others] = bedriftsnumre;
  return others.length === 0
    ? `bedrift_nr = ${params.add(only, 'text')}`
    : `bedrift_nr = any(${params.add(bedriftsnumre, 'text[]')})`;
}

/** `UKJENT` stands for every text that this release does not know. */
function codeCondition<T extends string>(
  column: string,
  codeValues: { toSource: (value: T) => string; known: readonly string[] },
  values: string[],
  params: Params,
): string {
  const known = values.filter((v) => v !== UKJENT).map((v) => codeValues.toSource(v as T));
  const hits = `${column} = any(${params.add(known, 'text[]')})`;
  return values.includes(UKJENT) ? `(${hits} or ${column} <> all(${params.add(codeValues.known, 'text[]')}))` : hits;
}

/** The day that `fase` is of, as SQL. */
export function phaseDayOf(filter: AvtaleFilter, selection: readonly Selection[], params: Params): string {
  const { faser, faseDato: day, gjeldendePer: moment } = filter;
  // The database refuses a value that nothing in the statement uses.
  if (!faser && !selection.includes('fase')) return TODAY;
  if (day !== undefined) return params.add(day, 'date');
  return moment === undefined ? TODAY : osloDaySql(params.add(moment, 'timestamptz'));
}

/** Days as the index of both dates (avtaler_i_datoer in the schema) has them: an avtale without an end, or a start, is later than any day. */
const LATEST = 20_000_000;
const dayNumber = (day: string): string => `(coalesce(${day} - date '2000-01-01', 10000000))::double precision`;

/** Phases of an avtale whose dates have the day between them. */
const COVERING: readonly Fase[] = ['PAAGAAR', 'IKKE_INNGAATT_PAA_NYTT'];

/**
 * What follows for the dates, as the index of both finds it: those that match are among these.
 *
 * @returns undefined when nothing does, or it says of nearly all that they may be
 */
export function dateRange({ periode, faser }: AvtaleFilter, phaseDay: string, params: Params): string | undefined {
  const [startsBy, startsAfter, endsFrom]: [string[], string[], string[]] = [[], [], []];
  if (periode?.til !== undefined) startsBy.push(dayNumber(params.add(periode.til, 'date')));
  if (periode?.fra !== undefined) endsFrom.push(dayNumber(params.add(periode.fra, 'date')));
  const phases = faser && knownPhases(faser);
  if (phases?.every((fase) => COVERING.includes(fase))) {
    startsBy.push(dayNumber(phaseDay));
    endsFrom.push(dayNumber(phaseDay));
  } else if (phases?.every((fase) => fase === 'PLANLAGT')) startsAfter.push(dayNumber(phaseDay));
  if (startsBy.length + startsAfter.length + endsFrom.length === 0) return undefined;
  const none = String(-LATEST);
  const [starts, ends] = [startsAfter, endsFrom].map((days) => `greatest(${[none, ...days].join(', ')})`);
  return `box(point(${starts ?? ''}, ${ends ?? ''}),
    point(least(${[String(LATEST), ...startsBy].join(', ')}), ${String(LATEST)}))`;
}
