import {
  chosenStatement,
  keysOf,
  Persons,
  preparedStatement,
  type Keys,
  type Query,
  type Statement,
} from '../lookups/statement.ts';
import { Params, conditionsOf, isOfNothing, phaseDayOf } from './avtaler.conditions.ts';
import { givenFilters, type AvtaleFilter } from './avtaler.filter.ts';
import { PREPARED_SELECTIONS, columnsFor, withPlannedLinks, type AvtaleRow, type Selection } from './avtaler.fields.ts';
import { osloDaySql } from './fase.sql.ts';
import { personCondition } from './persons.sql.ts';
import { versionThen, walkSql } from './walk.sql.ts';

export interface Keyset {
  /** the last avtaleId of the page before */
  after?: string | undefined;
  limit: number;
}

/**
 * Avtaler in the order of avtaleId, which never changes: no avtale is skipped or given twice by a change. Where few rows
 * may match among many, the page may end before it has `limit` rows, with a row that tells so in its `naadd`.
 */
export function searchQuery(filter: AvtaleFilter, selection: readonly Selection[], keyset: Keyset): Query<SearchRow> {
  const params = new Params();
  const phaseDay = phaseDayOf(filter, selection, params);
  const query = isDirect(filter) ? directSearch : walkingSearch;
  return query(filter, { selection, phaseDay }, keyset, params);
}

/** What is found is in the order of an index, or so little that it is sorted. */
function isDirect(filter: AvtaleFilter): boolean {
  const { personidenter, deltakerId, avtaleIder, bedriftsnumre, gjeldendePer } = filter;
  if (personidenter ?? deltakerId ?? avtaleIder) return true;
  const isOfOneEmployer = bedriftsnumre?.length === 1 && gjeldendePer === undefined;
  const isInOrder = givenFilters(filter).every(
    (name) => name === 'faseDato' || (name === 'bedriftsnumre' && isOfOneEmployer),
  );
  return isInOrder || isOfNothing(filter);
}

interface Columns {
  selection: readonly Selection[];
  /** the day that `fase` is of, as SQL */
  phaseDay: string;
}

function directSearch(
  filter: AvtaleFilter,
  { selection, phaseDay }: Columns,
  keyset: Keyset,
  params: Params,
): Query<SearchRow> {
  const { from, conditions } = sourceOf(filter, phaseDay, params);
  if (isOfNothing(filter)) conditions.push('false');
  if (keyset.after !== undefined) conditions.push(`avtale_id > ${params.add(keyset.after, 'uuid')}`);
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const keys = keysIn(filter, params.types, keyset.limit);
  const columns = columnsFor(selection, phaseDay);
  const text = `select ${keys ? withPlannedLinks(columns) : columns} from ${from} ${where}
    order by avtale_id limit ${params.add(keyset.limit, 'bigint')}`;
  return { statement: statementFor(selection, text), values: params.values, keys };
}

/**
 * Whose they are is asked first (`offset 0`), and nothing else of those: else the database may go through all avtaler in the
 * order of the page, where it takes persons to have many.
 */
function sourceOf(filter: AvtaleFilter, phaseDay: string, params: Params): { from: string; conditions: string[] } {
  const { personidenter, deltakerId, ...others } = filter;
  if (filter.gjeldendePer !== undefined) {
    const conditions = conditionsOf(filter, phaseDay, params);
    conditions.push(wasCurrentAt(params.add(filter.gjeldendePer, 'timestamptz')), ...everOf(filter, params));
    return { from: 'avtale_versjon_synlig da', conditions };
  }
  if (!(personidenter ?? deltakerId))
    return { from: 'avtale_synlig', conditions: conditionsOf(filter, phaseDay, params) };
  const whose = conditionsOf({ personidenter, deltakerId }, phaseDay, params).join(' and ');
  return {
    from: `(select * from avtale_synlig where ${whose} offset 0) avtale_synlig`,
    conditions: conditionsOf(others, phaseDay, params),
  };
}

/** Versions are found by the avtale: it is one that is, or has been, of these persons. */
function everOf({ personidenter, deltakerId }: AvtaleFilter, params: Params): string[] {
  const asked = personidenter ? new Persons(personidenter) : deltakerId && [deltakerId];
  if (!asked) return [];
  return [
    `avtale_id = any(array(select avtale_id from versjon_deltaker where ${personCondition(params.add(asked, 'uuid[]'))}))`,
  ];
}

function walkingSearch(
  filter: AvtaleFilter,
  { selection, phaseDay }: Columns,
  keyset: Keyset,
  params: Params,
): Query<SearchRow> {
  const [after, limit] = [params.add(keyset.after ?? null, 'uuid'), params.add(keyset.limit, 'bigint')];
  const { head, rows } = walkSql(filter, phaseDay, { after, limit, size: keyset.limit }, params);
  const { gjeldendePer: moment } = filter;
  const row =
    moment === undefined
      ? 'select * from avtale_synlig where avtale_id = rad.id'
      : versionThen('rad.id', params.add(moment, 'timestamptz'));
  const text = `${head}
    select ${withPlannedLinks(columnsFor(selection, phaseDay))}, rad.naadd from ${rows}
    left join lateral (${row} offset 0) avtale_synlig on true
    where avtale_synlig.avtale_id is not null or rad.naadd is not null
    order by rad.naadd nulls first, rad.id`;
  // One plan for all values: whatever they are, it does the same.
  return { statement: statementFor(selection, text), values: params.values, keys: keysOf(params.types, Infinity) };
}

/** An avtale; or with a value in `naadd`, and nothing else, the place to which all were looked at. */
export type SearchRow = AvtaleRow & { naadd?: string | null };

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
