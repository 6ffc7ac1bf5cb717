import { CODE_VALUES, UKJENT } from '@tiltak/avtale';
import type { Reader, Statement } from '../lookups/reader.ts';
import { preparedStatement, chosenStatement } from '../lookups/reader.ts';
import { GRANTABLE_FIELDS, WHOLE_AVTALE, columnsFor, type AvtaleRow, type Selection } from './avtaler.fields.ts';

/** What to look for; everything given must hold. Coded values are the published ones. */
export interface AvtaleFilter {
  personidenter?: string[] | undefined;
  bedriftsnumre?: string[] | undefined;
  avtaleIder?: string[] | undefined;
  tiltakstyper?: string[] | undefined;
  statuser?: string[] | undefined;
  /** both ends included, YYYY-MM-DD; an avtale without an end goes on, one without a start overlaps nothing */
  periode?: { fra: string; til: string } | undefined;
  /** exclusive, RFC 3339 */
  endretEtter?: string | undefined;
  deltakerId?: string | undefined;
  /** RFC 3339: what the system knew then, instead of what it knows now */
  gjeldendePer?: string | undefined;
}

export interface PageRequest {
  /** the last avtaleId of the page before */
  etter?: string | undefined;
  antall: number;
}

/** A page of avtaler in the order of avtaleId, which never changes: no avtale is skipped or given twice by a change. */
export async function searchAvtaler(
  reading: Reader,
  filter: AvtaleFilter,
  fields: readonly Selection[],
  page: PageRequest,
): Promise<AvtaleRow[]> {
  const { conditions, values } = filterConditions(filter);
  if (page.etter !== undefined) conditions.push(`avtale_id > $${values.push(page.etter)}`);
  if (filter.gjeldendePer !== undefined)
    conditions.push(wasCurrentAt(`$${values.push(filter.gjeldendePer)}::timestamptz`));
  const from = filter.gjeldendePer === undefined ? 'avtale_synlig' : 'avtale_versjon_synlig da';
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const text = `select ${columnsFor(fields)} from ${from} ${where} order by avtale_id limit $${values.push(page.antall)}`;
  return reading.query<AvtaleRow>(statementFor(fields, text), values);
}

/** Of a version, `da` in the statement: it was the last one known at that moment, and was to be seen. */
export function wasCurrentAt(da: string): string {
  return `laert <= ${da} and not feilregistrert and not exists (
    select from avtale_versjon_synlig senere
    where senere.avtale_id = da.avtale_id and senere.lopenr > da.lopenr and senere.laert <= ${da})`;
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

export async function readById(
  reading: Reader,
  avtaleId: string,
  fields: readonly Selection[],
): Promise<AvtaleRow | undefined> {
  const [row] = await reading.query<AvtaleRow>(singleStatement(fields, 'avtale_id = $1'), [avtaleId]);
  return row;
}

/** The source numbers avtaler uniquely; should two share a number, the one changed last is given. */
export async function readByNumber(
  reading: Reader,
  avtaleNr: number,
  fields: readonly Selection[],
): Promise<AvtaleRow | undefined> {
  const [row] = await reading.query<AvtaleRow>(
    singleStatement(fields, 'avtale_nr = $1 order by sist_endret desc, avtale_id limit 1'),
    [avtaleNr],
  );
  return row;
}

function singleStatement(fields: readonly Selection[], where: string): Statement {
  return statementFor(fields, `select ${columnsFor(fields)} from avtale_synlig where ${where}`);
}

function statementFor(fields: readonly Selection[], text: string): Statement {
  return fields === WHOLE_AVTALE || fields === GRANTABLE_FIELDS ? preparedStatement(text) : chosenStatement(text);
}

/** A version of an avtale, with when it was learned and its number among all versions. */
export type VersionRow = AvtaleRow & { laert: string; lopenr: number };

/** The versions that were to be seen, oldest first. */
export function readVersions(
  reading: Reader,
  avtaleId: string,
  page: { etter: string; antall: number },
): Promise<VersionRow[]> {
  const text = `select ${columnsFor(GRANTABLE_FIELDS)}, laert, lopenr from avtale_versjon_synlig
    where avtale_id = $1 and lopenr > $2 and not feilregistrert order by lopenr limit $3`;
  return reading.query<VersionRow>(preparedStatement(text), [avtaleId, page.etter, page.antall]);
}
