import { FIELDS, STORED_FIELDS, type AvtaleField } from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import type { Grant } from '../access/grant.ts';
import { phaseSql, TODAY } from './fase.sql.ts';

/**
 * What can be read of an avtale: its fields, the participant's opaque id, when this system learned of the content, and
 * where its links to other avtaler lead.
 */
export type Selection = AvtaleField | 'deltakerId' | 'mottatt' | '_links';

/**
 * What a consumer may see of a whole avtale. `fase` and `hovedenhet` came later: a registry that doesn't name them is still
 * valid, and what is not granted costs nothing.
 */
export function wholeFields({ fields }: Pick<Grant, 'fields'>): readonly AvtaleField[] {
  if (fields.has('hovedenhet')) return fields.has('fase') ? WITH_BOTH : WITH_HOVEDENHET;
  return fields.has('fase') ? WITH_PHASE : STORED_FIELDS;
}
const WITH_PHASE: readonly AvtaleField[] = [...STORED_FIELDS, 'fase'];
const WITH_HOVEDENHET: readonly AvtaleField[] = [...STORED_FIELDS, 'hovedenhet'];
const WITH_BOTH: readonly AvtaleField[] = [...STORED_FIELDS, 'fase', 'hovedenhet'];

/** What a whole avtale is read with, for those fields. */
export function wholeSelection(fields: readonly AvtaleField[]): readonly Selection[] {
  return SELECTIONS.get(fields) ?? [...fields, '_links'];
}
export const WHOLE_AVTALE: readonly Selection[] = [...STORED_FIELDS, '_links'];
const SELECTIONS: ReadonlyMap<readonly AvtaleField[], readonly Selection[]> = new Map([
  [STORED_FIELDS, WHOLE_AVTALE],
  ...[WITH_PHASE, WITH_HOVEDENHET, WITH_BOTH].map((fields): [readonly AvtaleField[], readonly Selection[]] => [
    fields,
    [...fields, '_links'],
  ]),
]);

/** Read over and over with the same text, so that the database may keep their plans. */
export const PREPARED_SELECTIONS: ReadonlySet<readonly Selection[]> = new Set([
  ...SELECTIONS.keys(),
  ...SELECTIONS.values(),
]);

export type AvtaleRow = Record<string, string | number | boolean | null>;

/** `neste <avtaleId>,samtidige <avtaleId>,…`, or null: read with the avtale, a link costs no look-up of its own. */
const LINKS_COLUMN = 'lenker(deltaker_id, avtale_id) as relasjoner';

/** By the key of virksomheter, for each avtale that is answered with it: also of a version, what is said of its employer now. */
const HOVEDENHET_COLUMN =
  '(select v.hovedenhet from virksomhet_synlig v where v.organisasjonsnummer = bedrift_nr) as hovedenhet';

/** The same as a part of the statement: cheaper to read, and dearer to plan, so for plans that are kept. */
const PLANNED_LINKS = `(select string_agg(l.relasjon || ' ' || l.til, ',' order by l.relasjon, l.til) from relasjon_synlig l
    where l.deltaker_id = avtale_synlig.deltaker_id and l.fra = avtale_synlig.avtale_id) as relasjoner`;

/** The columns, from `avtale_synlig`, for a statement whose plan is kept. */
export function withPlannedLinks(columns: string): string {
  return columns.replace(LINKS_COLUMN, PLANNED_LINKS);
}

const columnLists = new WeakMap<readonly Selection[], string>();

/**
 * The columns of `avtale_synlig` to read for these, and no others; the participant's opaque id goes with the ident.
 *
 * @param phaseDay the day that `fase` is of, as SQL; today in Oslo unless told otherwise
 */
export function columnsFor(fields: readonly Selection[], phaseDay = TODAY): string {
  const known = phaseDay === TODAY ? columnLists.get(fields) : undefined;
  if (known !== undefined) return known;
  const columns = fields.flatMap((field) => {
    if (field === '_links') return LINKS_COLUMN;
    if (field === 'fase') return [`${phaseSql(phaseDay)} as fase`, 'annullert_underveis'];
    if (field === 'hovedenhet') return HOVEDENHET_COLUMN;
    return field === 'deltakerFnr' ? ['deltaker_fnr', 'deltaker_id'] : columnName(field);
  });
  const list = [...new Set(columns)].join(', ');
  if (phaseDay === TODAY) columnLists.set(fields, list);
  return list;
}

/** A member of an avtale in JSON. */
export interface Member {
  name: string;
  column: string;
  /** left out when undefined */
  read: ValueReader;
}

/** What a field is shown as: itself, and of `fase` also whether it is marked. */
export function membersOf(field: AvtaleField): Member[] {
  const member = { name: field, column: columnName(field), read: valueReader(field) };
  if (field !== 'fase') return [member];
  const onlyTrue: ValueReader = (value) => (value === true ? true : undefined);
  return [member, { name: 'annullertUnderveis', column: 'annullert_underveis', read: onlyTrue }];
}

type RowMapper = (row: AvtaleRow) => Record<string, unknown>;
const mappers = new WeakMap<readonly AvtaleField[], RowMapper>();

/** Turns rows into JSON with just these fields. A coded field that the source left empty is left out. */
export function jsonMapper<T extends Partial<Record<AvtaleField, unknown>>>(
  fields: readonly AvtaleField[],
): (row: AvtaleRow) => T {
  const toJson = mappers.get(fields) ?? rowMapper(fields);
  mappers.set(fields, toJson);
  return toJson as (row: AvtaleRow) => T;
}

function rowMapper(fields: readonly AvtaleField[]): RowMapper {
  const readers = fields
    .flatMap((field) => membersOf(field))
    .map(({ name, column, read }) => [name, column, read] as const);
  return (row) => {
    const json: Record<string, unknown> = {};
    for (const [field, column, read] of readers) {
      const value = read(row[column] ?? null);
      if (value !== undefined) json[field] = value;
    }
    return json;
  };
}

/** From a column to what a consumer gets. */
export type ValueReader = ((value: string | number | boolean | null) => unknown) & {
  /** few values occur */
  lowCardinality?: true;
  /** the value goes through as it is */
  passThrough?: true;
  /** shown as `toRfc3339` has it */
  isTime?: true;
};

export function valueReader(field: AvtaleField): ValueReader {
  if (field === 'fase' || field === 'hovedenhet') return valueReader('avtaleId');
  const { read, codes } = FIELDS[field];
  if (codes) {
    const published: ValueReader = (value) => (value === null ? undefined : codes.fromSource(String(value)));
    published.lowCardinality = true;
    return published;
  }
  if (read === 'osloTime' || read === 'instant') {
    const rfc3339: ValueReader = (value) => value && toRfc3339(String(value));
    rfc3339.isTime = true;
    return rfc3339;
  }
  const same: ValueReader = (value) => value;
  same.passThrough = true;
  return same;
}

/** Postgres, in a UTC session, writes `2026-01-31 10:00:00.123457+00`. */
export function toRfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11).replace(/\+00$/, 'Z')}`;
}
