import type { Grant } from '../access/grant.ts';
import type { Lookup } from '../lookups/lookups.ts';
import { fieldsOf, granted, type ReadResource, type ResourceRow } from './resource.ts';
import {
  givenIn,
  resourceByKey,
  resourceSearch,
  type ResourceQuestion,
  type ResourceSearchRow,
} from './resource.queries.ts';
import { columnName } from '@tiltak/database';

/** What is answered with: what was asked for, or all that is granted; always the key. */
export function answeredWith(read: ReadResource, { fields }: Grant, asked?: readonly string[]): string[] {
  const { key } = read.resource;
  return fieldsOf(read).filter(
    (field) => field === key || (asked ? asked.includes(field) : fields.has(granted(read, field))),
  );
}

export interface ResourcePage {
  size: number;
  next: string | undefined;
}

/** A page of a search. What it is searched by is read too, and the audit tells of it. */
export function resourcePage(
  read: ReadResource,
  question: ResourceQuestion,
  fields: readonly string[],
  { size, next }: ResourcePage,
): Lookup<ResourceSearchRow> {
  const { resource, filters, keyPattern } = read;
  const given = givenIn(read, question);
  const readFields = [...fields, ...given.flatMap((name) => filters[name]?.reads ?? [])];
  const key = columnName(resource.key);
  return {
    fields: readFields.map((field) => granted(read, field)),
    isNarrowed: true,
    subset: given.length === 0 ? { alle: true } : Object.fromEntries(given.map((name) => [name, question[name]])),
    query: (after) => resourceSearch(read, question, fields, { after, limit: size + 1 }),
    page: {
      size,
      orderedBy: [granted(read, resource.key)],
      next,
      search: [given.map((name) => [name, question[name]]), fields],
      endOf: (row) => String(row[key]),
      endedAt: ({ naadd }) => naadd ?? undefined,
      placeBefore: (endedAt) => endedAt,
      form: new RegExp(keyPattern),
    },
  };
}

/** One of them. Who was looked at stands in the audit: it may be a sole trader. */
export function resourceOne(read: ReadResource, fields: readonly string[], key: string): Lookup<ResourceRow> {
  return {
    fields: fields.map((field) => granted(read, field)),
    isNarrowed: true,
    subset: { [read.resource.key]: key },
    query: () => resourceByKey(read, fields, key),
  };
}
