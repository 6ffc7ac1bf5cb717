import { GRANTABLE_FIELDS, type AvtaleField } from '@tiltak/avtale';
import type { Lookup } from '../lookups/lookups.ts';
import { WHOLE_AVTALE, type AvtaleRow, type Selection } from './avtaler.fields.ts';
import { givenFilters, type AvtaleFilter } from './avtaler.filter.ts';
import { byIdQuery, byNumberQuery, searchQuery, versionsQuery, type VersionRow } from './avtaler.queries.ts';

export interface PageRequest {
  size: number;
  /** the cursor from the page before, of the same search */
  next?: string | undefined;
}

/** Whole avtaler that match. */
export function searchPage(filter: AvtaleFilter, page: PageRequest): Lookup<AvtaleRow> {
  // How avtaler stood to each other then is not kept.
  const selection = filter.gjeldendePer === undefined ? WHOLE_AVTALE : GRANTABLE_FIELDS;
  return avtalePage(filter, { fields: GRANTABLE_FIELDS, selection }, page);
}

/** These fields of the avtaler that match. */
export function extractPage(
  filter: AvtaleFilter,
  fields: readonly AvtaleField[],
  page: PageRequest,
): Lookup<AvtaleRow> {
  return avtalePage(filter, { fields, selection: [...fields, 'avtaleId', 'deltakerId'] }, page);
}

function avtalePage(
  filter: AvtaleFilter,
  { fields, selection }: { fields: readonly AvtaleField[]; selection: readonly Selection[] },
  { size, next }: PageRequest,
): Lookup<AvtaleRow> {
  return {
    fields,
    filter,
    query: (after) => searchQuery(filter, selection, { after, limit: size + 1 }),
    page: {
      size,
      orderedBy: ['avtaleId'],
      next,
      // The order in which filters were named does not matter.
      search: [givenFilters(filter).map((name) => [name, filter[name]]), selection],
      endOf: (row) => String(row['avtale_id']),
    },
  };
}

export function avtaleById(avtaleId: string): Lookup<AvtaleRow> {
  return { fields: GRANTABLE_FIELDS, query: () => byIdQuery(avtaleId, WHOLE_AVTALE) };
}

export function avtaleByNumber(avtaleNr: number): Lookup<AvtaleRow> {
  return { fields: GRANTABLE_FIELDS, query: () => byNumberQuery(avtaleNr, WHOLE_AVTALE) };
}

const SEQUENCE_NUMBER = /^\d{1,18}$/;

/** What an avtale has said. */
export function versionsPage(avtaleId: string, { size, next }: PageRequest): Lookup<VersionRow> {
  return {
    fields: GRANTABLE_FIELDS,
    query: (after = '0') => versionsQuery(avtaleId, { after, limit: size + 1 }),
    page: {
      size,
      orderedBy: ['avtaleId', 'sistEndret'],
      next,
      search: avtaleId,
      endOf: ({ lopenr }) => String(lopenr),
      form: SEQUENCE_NUMBER,
    },
  };
}
