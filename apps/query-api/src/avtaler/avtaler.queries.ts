import { CODE_VALUES, FASER, UKJENT, type Fase } from '@tiltak/avtale';
import { Persons, chosenStatement, preparedStatement, type Query, type Statement } from '../lookups/statement.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';
import { PREPARED_SELECTIONS, columnsFor, type AvtaleRow, type Selection } from './avtaler.fields.ts';
import { personCondition } from './persons.sql.ts';
import { osloDaySql, phaseSql, TODAY } from './fase.sql.ts';

export interface Keyset {
  /** the last avtaleId of the page before */
  after?: string | undefined;
  limit: number;
}

/** Avtaler in the order of avtaleId, which never changes: no avtale is skipped or given twice by a change. */
export function searchQuery(filter: AvtaleFilter, selection: readonly Selection[], keyset: Keyset): Query<AvtaleRow> {
  const { conditions, values } = filterConditions(filter);
  const phaseDay = phaseDayOf(filter, selection, values);
  if (filter.faser) conditions.push(...phaseConditions(filter.faser, phaseDay, values));
  if (keyset.after !== undefined) conditions.push(`avtale_id > $${values.push(keyset.after)}`);
  if (filter.gjeldendePer !== undefined)
    conditions.push(wasCurrentAt(`$${values.push(filter.gjeldendePer)}::timestamptz`));
  const from = filter.gjeldendePer === undefined ? 'avtale_synlig' : 'avtale_versjon_synlig da';
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const text = `select ${columnsFor(selection, phaseDay)} from ${from} ${where} order by avtale_id limit $${values.push(keyset.limit)}`;
  return { statement: statementFor(selection, text), values };
}

/** Of a version, `da` in the statement: it was the last one known at that moment, and was to be seen. */
export function wasCurrentAt(moment: string): string {
  return `laert <= ${moment} and not feilregistrert and not exists (
    select from avtale_versjon_synlig senere
    where senere.avtale_id = da.avtale_id and senere.lopenr > da.lopenr and senere.laert <= ${moment})`;
}

function filterConditions(filter: AvtaleFilter): { conditions: string[]; values: unknown[] } {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const value = (v: unknown): string => `$${values.push(v)}`;
  if (filter.personidenter) conditions.push(personCondition(value(new Persons(filter.personidenter))));
  if (filter.deltakerId) conditions.push(personCondition(value([filter.deltakerId])));
  if (filter.bedriftsnumre) conditions.push(`bedrift_nr = any(${value(filter.bedriftsnumre)}::text[])`);
  if (filter.avtaleIder) conditions.push(`avtale_id = any(${value(filter.avtaleIder)}::uuid[])`);
  if (filter.tiltakstyper)
    conditions.push(codeCondition('tiltakstype', CODE_VALUES.tiltakstype, filter.tiltakstyper, value));
  if (filter.statuser)
    conditions.push(codeCondition('avtale_status', CODE_VALUES.avtaleStatus, filter.statuser, value));
  if (filter.periode) {
    conditions.push(`start_dato <= ${value(filter.periode.til)}::date`);
    conditions.push(`(slutt_dato >= ${value(filter.periode.fra)}::date or slutt_dato is null)`);
  }
  if (filter.endretEtter) conditions.push(`sist_endret > ${value(filter.endretEtter)}::timestamptz`);
  return { conditions, values };
}

function phaseDayOf(filter: AvtaleFilter, selection: readonly Selection[], values: unknown[]): string {
  const { faser, faseDato: day, gjeldendePer: moment } = filter;
  // The database refuses a value that nothing in the statement uses.
  if (!faser && !selection.includes('fase')) return TODAY;
  if (day !== undefined) return `$${String(values.push(day))}::date`;
  return moment === undefined ? TODAY : osloDaySql(`$${String(values.push(moment))}::timestamptz`);
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

function phaseConditions(faser: readonly Fase[], day: string, values: unknown[]): string[] {
  const known = FASER.filter((fase) => fase !== UKJENT);
  const wanted = known.filter((fase) => faser.includes(fase));
  if (wanted.length === 0) return ['false'];
  const [first, ...others] = wanted.map((fase) => DATES_OF[fase]);
  const list = (phases: readonly Fase[]): string => `($${String(values.push(phases))}::text[])`;
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
  value: (v: unknown) => string,
): string {
  const known = values.filter((v) => v !== UKJENT).map((v) => codeValues.toSource(v as T));
  const hits = `${column} = any(${value(known)}::text[])`;
  return values.includes(UKJENT) ? `(${hits} or ${column} <> all(${value(codeValues.known)}::text[]))` : hits;
}

export function byIdQuery(avtaleId: string, selection: readonly Selection[]): Query<AvtaleRow> {
  return { statement: singleStatement(selection, 'avtale_id = $1'), values: [avtaleId] };
}

/** The source numbers avtaler uniquely; should two share a number, the one changed last is given. */
export function byNumberQuery(avtaleNr: number, selection: readonly Selection[]): Query<AvtaleRow> {
  const where = 'avtale_nr = $1 order by sist_endret desc, avtale_id limit 1';
  return { statement: singleStatement(selection, where), values: [avtaleNr] };
}

function singleStatement(selection: readonly Selection[], where: string): Statement {
  return statementFor(selection, `select ${columnsFor(selection)} from avtale_synlig where ${where}`);
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
    where avtale_id = $1 and lopenr > $2 and not feilregistrert order by lopenr limit $3`;
  return { statement: statementFor(selection, text), values: [avtaleId, keyset.after, keyset.limit] };
}
