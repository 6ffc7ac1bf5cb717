import type { AvtaleField } from '@tiltak/avtale';
import type { Grant } from '../access/grant.ts';
import type { Lookup } from '../lookups/lookups.ts';
import { wholeFields, wholeSelection, type AvtaleRow, type Selection } from './avtaler.fields.ts';
import { givenFilters, heldToKinds, type AvtaleFilter } from './avtaler.filter.ts';
import {
  byIdQuery,
  byNumberQuery,
  searchQuery,
  versionsQuery,
  type SearchRow,
  type VersionRow,
} from './avtaler.queries.ts';

export interface PageRequest {
  size: number;
  /** the cursor from the page before, of the same search */
  next?: string | undefined;
}

/** Whole avtaler that match. */
export function searchPage(grant: Grant, filter: AvtaleFilter, page: PageRequest): Lookup<SearchRow> {
  const fields = wholeFields(grant);
  // How avtaler stood to each other then is not kept.
  const selection = filter.gjeldendePer === undefined ? wholeSelection(fields) : fields;
  return avtalePage(grant, filter, { fields, selection }, page);
}

/** These fields of the avtaler that match. */
export function extractPage(
  grant: Grant,
  filter: AvtaleFilter,
  fields: readonly AvtaleField[],
  page: PageRequest,
): Lookup<SearchRow> {
  return avtalePage(grant, filter, { fields, selection: [...fields, 'avtaleId', 'deltakerId'] }, page);
}

function avtalePage(
  { kinds }: Grant,
  filter: AvtaleFilter,
  { fields, selection }: { fields: readonly AvtaleField[]; selection: readonly Selection[] },
  { size, next }: PageRequest,
): Lookup<SearchRow> {
  // What it is held to is no part of the statement's order, unless it is asked for.
  const asked = heldToKinds(filter, kinds?.published);
  return {
    fields,
    filter,
    query: (after) => searchQuery(asked, selection, { after, limit: size + 1 }),
    page: {
      size,
      orderedBy: ['avtaleId'],
      next,
      // The order in which filters were named does not matter.
      search: [givenFilters(filter).map((name) => [name, filter[name]]), selection],
      endOf: (row) => String(row['avtale_id']),
      endedAt: ({ naadd }) => naadd ?? undefined,
    },
  };
}

export function avtaleById(grant: Grant, avtaleId: string): Lookup<AvtaleRow> {
  const fields = wholeFields(grant);
  return { fields, query: () => byIdQuery(avtaleId, wholeSelection(fields)) };
}

export function avtaleByNumber(grant: Grant, avtaleNr: number): Lookup<AvtaleRow> {
  const fields = wholeFields(grant);
  return { fields, query: () => byNumberQuery(avtaleNr, wholeSelection(fields)) };
}

const SEQUENCE_NUMBER = /^\d{1,18}$/;

/** What an avtale has said. */
export function versionsPage(grant: Grant, avtaleId: string, { size, next }: PageRequest): Lookup<VersionRow> {
  const fields = wholeFields(grant);
  return {
    fields,
    query: (after = '0') => versionsQuery(avtaleId, fields, { after, limit: size + 1 }),
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
