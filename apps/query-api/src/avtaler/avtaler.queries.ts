import { CODE_VALUES, FASER, UKJENT, type Fase } from '@tiltak/avtale';
import {
  Persons,
  chosenStatement,
  keysOf,
  preparedStatement,
  type Keys,
  type Query,
  type Statement,
} from '../lookups/statement.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';
import { PREPARED_SELECTIONS, columnsFor, withPlannedLinks, type AvtaleRow, type Selection } from './avtaler.fields.ts';
import { personCondition } from './persons.sql.ts';
import { osloDaySql, phaseSql, TODAY } from './fase.sql.ts';

export interface Keyset {
  /** the last avtaleId of the page before */
  after?: string | undefined;
  limit: number;
}

/** Avtaler in the order of avtaleId, which never changes: no avtale is skipped or given twice by a change. */
export function searchQuery(filter: AvtaleFilter, selection: readonly Selection[], keyset: Keyset): Query<AvtaleRow> {
  const params = new Params();
  const conditions = filterConditions(filter, params);
  const phaseDay = phaseDayOf(filter, selection, params);
  if (filter.faser) conditions.push(...phaseConditions(filter.faser, phaseDay, params));
  if (keyset.after !== undefined) conditions.push(`avtale_id > ${params.add(keyset.after, 'uuid')}`);
  if (filter.gjeldendePer !== undefined) conditions.push(wasCurrentAt(params.add(filter.gjeldendePer, 'timestamptz')));
  const from = filter.gjeldendePer === undefined ? 'avtale_synlig' : 'avtale_versjon_synlig da';
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const keys = keysIn(filter, params.types, keyset.limit);
  const columns = columnsFor(selection, phaseDay);
  const text = `select ${keys ? withPlannedLinks(columns) : columns} from ${from} ${where}
    order by avtale_id limit ${params.add(keyset.limit, 'bigint')}`;
  return { statement: statementFor(selection, text), values: params.values, keys };
}

/** The values of a statement, each with the type that it has there. */
class Params {
  readonly values: unknown[] = [];
  readonly types: string[] = [];

  /** @returns the value, as the statement names it */
  add(value: unknown, type: string): string {
    this.types.push(type);
    return `$${String(this.values.push(value))}::${type}`;
  }
}

/** Of a filter that finds what it looks for by an index of ids. An employer has any number of avtaler, the others few. */
function keysIn(
  { personidenter, deltakerId, avtaleIder, bedriftsnumre }: AvtaleFilter,
  types: readonly string[],
  limit: number,
): Keys | undefined {
  const isOfFew = personidenter ?? deltakerId ?? avtaleIder;
  if (!isOfFew && !bedriftsnumre) return undefined;
  // All that is sent, whichever of it finds the rows.
  const lists = [personidenter, avtaleIder, bedriftsnumre].map((list) => list?.length ?? 0);
  const count = lists.reduce((sum, length) => sum + length, deltakerId === undefined ? 0 : 1);
  return keysOf(types, count, isOfFew ? undefined : limit);
}

/**
 * Of a version, `da` in the statement: it was the last one known at that moment, and was to be seen. Later ones are looked
 * for by the qualified name, which no narrowed view stands in front of: one of another kind made it outdated all the same.
 */
export function wasCurrentAt(moment: string): string {
  return `laert <= ${moment} and not feilregistrert and not exists (
    select from public.avtale_versjon_synlig senere
    where senere.avtale_id = da.avtale_id and senere.lopenr > da.lopenr and senere.laert <= ${moment})`;
}

function filterConditions(filter: AvtaleFilter, params: Params): string[] {
  const conditions: string[] = [];
  if (filter.personidenter) conditions.push(personCondition(params.add(new Persons(filter.personidenter), 'uuid[]')));
  if (filter.deltakerId) conditions.push(personCondition(params.add([filter.deltakerId], 'uuid[]')));
  if (filter.bedriftsnumre) conditions.push(`bedrift_nr = any(${params.add(filter.bedriftsnumre, 'text[]')})`);
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
  return conditions;
}

function phaseDayOf(filter: AvtaleFilter, selection: readonly Selection[], params: Params): string {
  const { faser, faseDato: day, gjeldendePer: moment } = filter;
  // The database refuses a value that nothing in the statement uses.
  if (!faser && !selection.includes('fase')) return TODAY;
  if (day !== undefined) return params.add(day, 'date');
  return moment === undefined ? TODAY : osloDaySql(params.add(moment, 'timestamptz'));
}

/** What follows from a phase, said so that an index of the dates can find its rows. */
const DATES_OF: Partial<Record<Fase, (day: string) => string[]>> = {
  PAAGAAR: covering,
  IKKE_INNGAATT_PAA_NYTT: covering,
  PLANLAGT: (day) => [`(start_dato > ${day} or start_dato is null)`],
};

function covering(day: string): string[] {
  return [`start_dato <= ${day}`, `(slutt_dato >= ${day} or slutt_dato is null)`];
}

function phaseConditions(faser: readonly Fase[], day: string, params: Params): string[] {
  const known = FASER.filter((fase) => fase !== UKJENT);
  const wanted = known.filter((fase) => faser.includes(fase));
  if (wanted.length === 0) return ['false'];
  const [first, ...others] = wanted.map((fase) => DATES_OF[fase]);
  const list = (phases: readonly Fase[]): string => `(${params.add(phases, 'text[]')})`;
  if (first && others.every((dates) => dates === first))
    return [...first(day), `${phaseSql(day)} = any${list(wanted)}`];
  // Common phases: put as what they are not, it is expected to be most of the table, which is read in the order of the
  // page. As what they are, the whole table would be read and sorted for each page.
  return [`${phaseSql(day)} <> all${list(known.filter((fase) => !wanted.includes(fase)))}`];
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

export function byIdQuery(avtaleId: string, selection: readonly Selection[]): Query<AvtaleRow> {
  return {
    statement: singleStatement(selection, 'avtale_id = $1::uuid'),
    values: [avtaleId],
    keys: keysOf(['uuid'], 1),
  };
}

/** The source numbers avtaler uniquely; should two share a number, the one changed last is given. */
export function byNumberQuery(avtaleNr: number, selection: readonly Selection[]): Query<AvtaleRow> {
  const where = 'avtale_nr = $1::integer order by sist_endret desc, avtale_id limit 1';
  return { statement: singleStatement(selection, where), values: [avtaleNr], keys: keysOf(['integer'], 1) };
}

function singleStatement(selection: readonly Selection[], where: string): Statement {
  return statementFor(selection, `select ${withPlannedLinks(columnsFor(selection))} from avtale_synlig where ${where}`);
}

function statementFor(selection: readonly Selection[], text: string): Statement {
  return PREPARED_SELECTIONS.has(selection) ? preparedStatement(text) : chosenStatement(text);
}

/** A version of an avtale, with when it was learned and its number among all versions. */
export type VersionRow = AvtaleRow & { laert: string; lopenr: number };

/** The versions that were to be seen, oldest first. */
export function versionsQuery(
  avtaleId: string,
  selection: readonly Selection[],
  keyset: { after: string; limit: number },
): Query<VersionRow> {
  // Its phase is what was answered on the day it was learned.
  const columns = columnsFor(selection, osloDaySql('laert'));
  const text = `select ${columns}, laert, lopenr from avtale_versjon_synlig
    where avtale_id = $1::uuid and lopenr > $2::bigint and not feilregistrert order by lopenr limit $3::bigint`;
  return {
    statement: statementFor(selection, text),
    values: [avtaleId, keyset.after, keyset.limit],
    keys: keysOf(['uuid', 'bigint', 'bigint'], 1, keyset.limit),
  };
}
