import { columnName } from '@tiltak/database';
import { toRfc3339, type Member, type ValueReader } from '../avtaler/avtaler.fields.ts';
import { entryOf, type ReadResource, type ResourceLink, type ResourceRow } from './resource.ts';

/** Members of the answer, in the order of the fields; the key is always one. */
export function membersFor(read: ReadResource, fields: readonly string[]): Member[] {
  const { key } = read.resource;
  return [key, ...fields.filter((field) => field !== key)].map((name) => ({
    ...{ name, column: columnName(name) },
    read: readerOf(read, name),
  }));
}

function readerOf(read: ReadResource, field: string): ValueReader {
  const { read: how } = entryOf(read, field);
  const isTime = how === 'instant' || how === 'osloTime';
  const reader: ValueReader = isTime ? (value) => value && toRfc3339(String(value)) : (value) => value;
  if (isTime) reader.isTime = true;
  else reader.passThrough = true;
  return reader;
}

/** A row as consumers get it, with its links. */
export function toOne(read: ReadResource, fields: readonly string[]): (row: ResourceRow) => Record<string, unknown> {
  const members = membersFor(read, fields);
  const { resource, links } = read;
  return (row) => {
    const json = Object.fromEntries(members.map(({ name, column, read: value }) => [name, value(row[column] ?? null)]));
    const made: Record<string, ResourceLink> = { self: { href: pathOf(read, String(json[resource.key])) } };
    for (const [name, { make }] of Object.entries(links)) {
      const link = make(row);
      if (link) made[name] = link;
    }
    return { ...json, _links: made };
  };
}

export function pathOf({ resource }: ReadResource, key: string): string {
  return `/api/v1/${resource.name}/${encodeURIComponent(key)}`;
}
