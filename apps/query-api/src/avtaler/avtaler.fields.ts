import { FIELDS, GRANTABLE_FIELDS, type AvtaleField } from '@tiltak/avtale';
import { columnName } from '@tiltak/database';

/**
 * What can be read of an avtale: its fields, the participant's opaque id, when this system learned of the content, and
 * where its links to other avtaler lead.
 */
export type Selection = AvtaleField | 'deltakerId' | 'mottatt' | '_links';

/** What a whole avtale is read with. */
export const WHOLE_AVTALE: readonly Selection[] = [...GRANTABLE_FIELDS, '_links'];

export type AvtaleRow = Record<string, string | number | boolean | null>;

/** `neste <avtaleId>,samtidige <avtaleId>,…`, or null: read with the avtale, a link costs no look-up of its own. */
const LINKS_COLUMN = 'lenker(deltaker_id, avtale_id) as relasjoner';

const columnLists = new WeakMap<readonly Selection[], string>();

/** The columns of `avtale_synlig` to read for these, and no others; the participant's opaque id goes with the ident. */
export function columnsFor(fields: readonly Selection[]): string {
  const known = columnLists.get(fields);
  if (known !== undefined) return known;
  const columns = fields.flatMap((field) => {
    if (field === '_links') return LINKS_COLUMN;
    return field === 'deltakerFnr' ? ['deltaker_fnr', 'deltaker_id'] : columnName(field);
  });
  const list = [...new Set(columns)].join(', ');
  columnLists.set(fields, list);
  return list;
}

/** Turns rows into JSON with just these fields. A coded field that the source left empty is left out. */
export function jsonMapper<T extends Partial<Record<AvtaleField, unknown>>>(
  fields: readonly AvtaleField[],
): (row: AvtaleRow) => T {
  const readers = fields.map((field) => [field, columnName(field), valueReader(field)] as const);
  return (row) => {
    const json: Record<string, unknown> = {};
    for (const [field, column, read] of readers) {
      const value = read(row[column] ?? null);
      if (value !== undefined) json[field] = value;
    }
    return json as T;
  };
}

/** From a column to what a consumer gets. */
type ValueReader = ((value: string | number | boolean | null) => unknown) & {
  /** few values occur */
  lowCardinality?: true;
  /** the value goes through as it is */
  passThrough?: true;
};

export function valueReader(field: AvtaleField): ValueReader {
  const { read, codes } = FIELDS[field];
  if (codes) {
    const published: ValueReader = (value) => (value === null ? undefined : codes.fromSource(String(value)));
    published.lowCardinality = true;
    return published;
  }
  if (read === 'osloTime' || read === 'instant') return (value) => value && toRfc3339(String(value));
  const same: ValueReader = (value) => value;
  same.passThrough = true;
  return same;
}

/** Postgres, in a UTC session, writes `2026-01-31 10:00:00.123457+00`. */
export function toRfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11).replace(/\+00$/, 'Z')}`;
}
