import type { AvtaleField } from '@tiltak/avtale';
import type { Grant } from '../access/grant.ts';
import type { Lookup } from '../lookups/lookups.ts';
import { decodeCursor, encodeCursor } from '../shared/cursor.ts';
import { wholeFields, wholeSelection, type AvtaleRow, type Selection } from './avtaler.fields.ts';
import {
  byIdQuery,
  byNumberQuery,
  searchQuery,
  versionsQuery,
  type AvtaleFilter,
  type VersionRow,
} from './avtaler.queries.ts';

export interface PageRequest {
  size: number;
  /** the cursor from the page before, of the same search */
  next?: string | undefined;
}

/** Whole avtaler that match; a cursor that can't be used is a Problem 400 of the query. */
export function searchPage(grant: Grant, filter: AvtaleFilter, page: PageRequest): Lookup<AvtaleRow> {
  const fields = wholeFields(grant);
  // How avtaler stood to each other then is not kept.
  const selection = filter.gjeldendePer === undefined ? wholeSelection(fields) : fields;
  return avtalePage(filter, { fields, selection }, page);
}

/** These fields of the avtaler that match; a cursor that can't be used is a Problem 400 of the query. */
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
  const search = [filter, selection];
  return {
    fields,
    persons: filter.personidenter ?? [],
    query: () => {
      const after = next === undefined ? undefined : decodeCursor(search, next);
      return searchQuery(filter, selection, { after, limit: size + 1 });
    },
    page: { size, cursorAfter: (last) => encodeCursor(search, String(last['avtale_id'])) },
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

/** What an avtale has said; a cursor that can't be used is a Problem 400 of the query. */
export function versionsPage(grant: Grant, avtaleId: string, { size, next }: PageRequest): Lookup<VersionRow> {
  const fields = wholeFields(grant);
  return {
    fields,
    query: () => {
      const after = next === undefined ? '0' : decodeCursor(avtaleId, next, SEQUENCE_NUMBER);
      return versionsQuery(avtaleId, fields, { after, limit: size + 1 });
    },
    page: { size, cursorAfter: (last) => encodeCursor(avtaleId, String(last.lopenr)) },
  };
}
