import { CODE_VALUES, type AvtaleStatus, type Tiltakstype } from '@tiltak/avtale';
import { columnsFor, type AvtaleRow, type Selection } from '../avtaler/avtaler.fields.ts';
import { byIdQuery, byNumberQuery, searchQuery, type Keyset, type SearchRow } from '../avtaler/avtaler.queries.ts';
import { personCondition } from '../avtaler/persons.sql.ts';
import { chosenStatement, keysOf, Persons, type Keys, type Query } from '../lookups/statement.ts';
import type { Dialect } from './schema.ts';

/** What a field at the top looks for: one of them. Coded values are the published ones. */
export interface RootFilter {
  personidenter?: [string];
  bedriftsnumre?: [string];
  tiltakstyper?: [string];
  statuser?: [string];
}

export interface AvtaleQueries {
  /** All in the order of avtaleId; when there are more than fit, some of them. A row with `naadd` tells where to go on. */
  search: (filter: RootFilter, selection: readonly Selection[], keyset: Keyset) => Query<SearchRow>;
  byId: (avtaleId: string, selection: readonly Selection[]) => Query<AvtaleRow>;
  byNumber: (avtaleNr: number, selection: readonly Selection[]) => Query<AvtaleRow>;
}

/**
 * The view of what the service before this one showed, also what is wrongly registered (ADR 25). Nothing else names it.
 * An avtale without a number is 0 in its answers, and not found by that.
 */
const EARLIER: AvtaleQueries = {
  search: (filter, selection, { limit }) => {
    if (filter.tiltakstyper ?? filter.statuser) return earlierOfCode(filter, selection, limit);
    const { condition, value, type } = conditionOf(filter);
    const where = `${condition} order by avtale_id limit $2::bigint`;
    const rows = filter.personidenter ? undefined : limit;
    return earlierQuery(selection, where, [value, limit], keysOf([type, 'bigint'], 1, rows));
  },
  byId: (avtaleId, selection) => earlierQuery(selection, 'avtale_id = $1::uuid', [avtaleId], keysOf(['uuid'], 1)),
  byNumber: (avtaleNr, selection) => {
    const where = 'avtale_nr = $1::integer order by sist_endret desc, avtale_id limit 1';
    return earlierQuery(selection, where, [avtaleNr], keysOf(['integer'], 1));
  },
};

export const QUERIES: Readonly<Record<Dialect, AvtaleQueries>> = {
  ny: {
    search: searchQuery,
    byId: byIdQuery,
    byNumber: byNumberQuery,
  },
  gammel: EARLIER,
};

function earlierQuery(
  selection: readonly Selection[],
  where: string,
  values: unknown[],
  keys: Keys | undefined,
): Query<AvtaleRow> {
  const text = `select ${columnsFor(selection)} from avtale_gammel_graphql where ${where}`;
  return { statement: chosenStatement(text), values, keys };
}

/**
 * All of a kind, status by status, or of a status, kind by kind: each is a range of an index. It is read to where there are
 * too many for an answer, and sorted then: which they are does not matter when they are refused.
 */
function earlierOfCode(
  { tiltakstyper, statuser }: RootFilter,
  selection: readonly Selection[],
  limit: number,
): Query<AvtaleRow> {
  const { tiltakstype: kinds, avtaleStatus: statuses } = CODE_VALUES;
  const [column, value, other, known] = tiltakstyper
    ? ['tiltakstype', kinds.toSource(tiltakstyper[0] as Tiltakstype), 'avtale_status', statuses.known]
    : ['avtale_status', statuses.toSource(statuser?.[0] as AvtaleStatus), 'tiltakstype', kinds.known];
  const columns = columnsFor(selection);
  const text = `select alle.* from (
      select a.* from unnest($3::text[]) as annen(verdi) cross join lateral (
        select ${columns}, avtale_id as plass from avtale_gammel_graphql
        where ${column} = $1::text and ${other} = annen.verdi order by avtale_id limit $2::bigint) a
      limit $2::bigint) alle order by plass`;
  const values = [value, limit, known];
  return { statement: chosenStatement(text), values, keys: keysOf(['text', 'bigint', 'text[]'], Infinity) };
}

function conditionOf({ personidenter, bedriftsnumre }: RootFilter): {
  condition: string;
  value: unknown;
  type: string;
} {
  if (personidenter)
    return { condition: personCondition('$1::uuid[]'), value: new Persons(personidenter), type: 'uuid[]' };
  if (bedriftsnumre) return { condition: 'bedrift_nr = $1::text', value: bedriftsnumre[0], type: 'text' };
  throw new Error('A field at the top looks for something');
}
