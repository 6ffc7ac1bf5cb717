import { AVTALE_FIELDS, CODE_VALUES, type Avtale } from '@tiltak/avtale';
import { columnName } from '@tiltak/database';

/** A field of an avtale that a consumer can be granted. */
export type AvtaleField = Exclude<(typeof AVTALE_FIELDS)[number], 'feilregistrert'>;

export const GRANTABLE_FIELDS: readonly AvtaleField[] = AVTALE_FIELDS.filter((field) => field !== 'feilregistrert');

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
  const columnsFor = fields.flatMap((field) => {
    if (field === '_links') return LINKS_COLUMN;
    return field === 'deltakerFnr' ? ['deltaker_fnr', 'deltaker_id'] : columnName(field);
  });
  const list = [...new Set(columnsFor)].join(', ');
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

const MOMENTS = new Set<keyof Avtale>([
  'avtaleInngaatt',
  'godkjentAvDeltaker',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'opprettetTidspunkt',
  'annullertTidspunkt',
  'sistEndret',
]);

export function valueReader(field: AvtaleField): ValueReader {
  if (field in CODE_VALUES) {
    const codeValues = CODE_VALUES[field as keyof typeof CODE_VALUES];
    const code: ValueReader = (value) => (value === null ? undefined : codeValues.fromSource(String(value)));
    return Object.assign(code, { lowCardinality: true } as const);
  }
  if (MOMENTS.has(field)) return (value) => value && toRfc3339(String(value));
  return Object.assign(((value) => value) as ValueReader, { passThrough: true } as const);
}

/** Postgres, in a UTC session, writes `2026-01-31 10:00:00.123457+00`. */
export function toRfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11).replace(/\+00$/, 'Z')}`;
}
