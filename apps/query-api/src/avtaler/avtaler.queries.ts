import { CODE_VALUES, UKJENT, GRANTABLE_FIELDS } from '@tiltak/avtale';
import { chosenStatement, preparedStatement, type Query, type Statement } from '../lookups/statement.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';
import { WHOLE_AVTALE, columnsFor, type AvtaleRow, type Selection } from './avtaler.fields.ts';

export interface Keyset {
  /** the last avtaleId of the page before */
  after?: string | undefined;
  limit: number;
}

/** Avtaler in the order of avtaleId, which never changes: no avtale is skipped or given twice by a change. */
export function searchQuery(filter: AvtaleFilter, selection: readonly Selection[], keyset: Keyset): Query<AvtaleRow> {
  const { conditions, values } = filterConditions(filter);
  if (keyset.after !== undefined) conditions.push(`avtale_id > $${values.push(keyset.after)}`);
  if (filter.gjeldendePer !== undefined)
    conditions.push(wasCurrentAt(`$${values.push(filter.gjeldendePer)}::timestamptz`));
  const from = filter.gjeldendePer === undefined ? 'avtale_synlig' : 'avtale_versjon_synlig da';
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const text = `select ${columnsFor(selection)} from ${from} ${where} order by avtale_id limit $${values.push(keyset.limit)}`;
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
  if (filter.personidenter) conditions.push(`deltaker_fnr = any(${value(filter.personidenter)}::text[])`);
  if (filter.deltakerId) conditions.push(`deltaker_id = ${value(filter.deltakerId)}`);
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
  return selection === WHOLE_AVTALE || selection === GRANTABLE_FIELDS ? preparedStatement(text) : chosenStatement(text);
}

/** A version of an avtale, with when it was learned and its number among all versions. */
export type VersionRow = AvtaleRow & { laert: string; lopenr: number };

/** The versions that were to be seen, oldest first. */
export function versionsQuery(avtaleId: string, keyset: { after: string; limit: number }): Query<VersionRow> {
  return { statement: VERSIONS, values: [avtaleId, keyset.after, keyset.limit] };
}

const VERSIONS = preparedStatement(
  `select ${columnsFor(GRANTABLE_FIELDS)}, laert, lopenr from avtale_versjon_synlig
    where avtale_id = $1 and lopenr > $2 and not feilregistrert order by lopenr limit $3`,
);
