import { CODE_VALUES, type AvtaleStatus } from '@tiltak/avtale';
import { columnsFor, type AvtaleRow, type Selection } from '../avtaler/avtaler.fields.ts';
import { byIdQuery, byNumberQuery, searchQuery } from '../avtaler/avtaler.queries.ts';
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
  /** in the order of avtaleId */
  search: (filter: RootFilter, selection: readonly Selection[], limit: number) => Query<AvtaleRow>;
  byId: (avtaleId: string, selection: readonly Selection[]) => Query<AvtaleRow>;
  byNumber: (avtaleNr: number, selection: readonly Selection[]) => Query<AvtaleRow>;
}

/**
 * The view of what the service before this one showed, also what is wrongly registered (ADR 25). Nothing else names it.
 * An avtale without a number is 0 in its answers, and not found by that.
 */
const EARLIER: AvtaleQueries = {
  search: (filter, selection, limit) => {
    const { condition, value, type, isKey } = conditionOf(filter);
    const where = `${condition} order by avtale_id limit $2::bigint`;
    const rows = filter.personidenter ? undefined : limit;
    return earlierQuery(selection, where, [value, limit], isKey ? keysOf([type, 'bigint'], 1, rows) : undefined);
  },
  byId: (avtaleId, selection) => earlierQuery(selection, 'avtale_id = $1::uuid', [avtaleId], keysOf(['uuid'], 1)),
  byNumber: (avtaleNr, selection) => {
    const where = 'avtale_nr = $1::integer order by sist_endret desc, avtale_id limit 1';
    return earlierQuery(selection, where, [avtaleNr], keysOf(['integer'], 1));
  },
};

export const QUERIES: Readonly<Record<Dialect, AvtaleQueries>> = {
  ny: {
    search: (filter, selection, limit) => searchQuery(filter, selection, { limit }),
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

function conditionOf({ personidenter, bedriftsnumre, tiltakstyper, statuser }: RootFilter): {
  condition: string;
  value: unknown;
  type: string;
  /** few have it */
  isKey: boolean;
} {
  const key = { type: 'uuid[]', isKey: true };
  if (personidenter) return { condition: personCondition('$1::uuid[]'), value: new Persons(personidenter), ...key };
  const code = { type: 'text', isKey: false };
  if (bedriftsnumre) return { condition: 'bedrift_nr = $1::text', value: bedriftsnumre[0], ...code, isKey: true };
  if (tiltakstyper) return { condition: 'tiltakstype = $1::text', value: tiltakstyper[0], ...code };
  if (statuser) {
    const status = CODE_VALUES.avtaleStatus.toSource(statuser[0] as AvtaleStatus);
    return { condition: 'avtale_status = $1::text', value: status, ...code };
  }
  throw new Error('A field at the top looks for something');
}
