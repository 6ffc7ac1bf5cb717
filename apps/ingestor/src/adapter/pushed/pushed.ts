import { isUuid, parserOf, type Field, type JsonObject, type Resource } from '@tiltak/resource';

/** How a message is read that an adapter's entry would become: as the stream reads it. */
type Parse = (
  key: Uint8Array,
  value: Uint8Array,
  origin: { writtenAt: number },
) => { ok: true } | { ok: false; reason: { code: string; field: string | null; reason: string } };

/** Where what the stream made of entries is seen, and where it is noted which entries a sync has. SQL names. */
export interface StoredNames {
  current: string;
  versions: string;
  changes: string;
  key: string;
  /** of its column */
  keyType: 'uuid' | 'text';
  order: string;
  /** the keys of a full sync, until it has ended */
  synced: { table: string; key: string; type: 'uuid' | 'text' };
  /** of `synk_side`: the keys of a page, until its entries have been counted */
  pageKeys: string;
}

/** What an adapter can push: a resource, and what only its messages have. */
export interface Pushed {
  name: string;
  /** its field that identifies it, and the one that decides order, as messages name them */
  key: string;
  order: string;
  /** of an entry; undefined for what can't be one */
  toKey: (id: string) => string | undefined;
  /** what is said of an id that isn't one */
  keyForm: string;
  /** what is published of an entry: nothing that this system doesn't keep */
  reduce: (content: JsonObject) => JsonObject;
  /** names what is read of a message whatever its form, and is of another than the document says */
  refuseOtherTypes: (content: JsonObject, refuse: (field: string, message: string) => void) => void;
  parse: Parse;
  /** whether `parse` takes the JSON of an object under that key, without its being read once more */
  readabilityAt: (writtenAt: number) => (source: JsonObject, key: string) => boolean;
  known: Known;
  stored: StoredNames;
}

/** What the contract says of names and forms. */
export interface Known {
  /** names of members */
  members: ReadonlySet<string>;
  /** names that others use for them, beside their own */
  otherNames: readonly (readonly [name: string, member: string])[];
  /** wall-clock times, which must have no offset */
  localTimes: readonly string[];
  isUnknownCode: readonly (readonly [member: string, isUnknown: (value: string) => boolean])[];
  /** objects, with the only member of each */
  objects: readonly (readonly [member: string, only: string])[];
}

const DELETED = 'slettemerket';

/** The column of a field: its name in snake case. */
const columnOf = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Of a resource whose messages have the fields of its table and nothing else. */
export function pushed<F extends Readonly<Record<string, Field>>>(resource: Resource<F>): Pushed {
  const { name, table, key, order } = resource;
  const fields: Readonly<Record<string, Field>> = resource.fields;
  const all = Object.entries(fields);
  const members = [...all.map(([, { source }]) => source), DELETED];
  const parse = parserOf({ name, table, key, order, fields });
  const keyField = fields[key];
  if (!keyField) throw new Error(`${name} has no field ${key}`);
  return {
    name,
    key: keyField.source,
    order: fields[order]?.source ?? order,
    ...keyOf(keyField),
    reduce: (content) => only(members, content),
    refuseOtherTypes: () => undefined,
    parse,
    readabilityAt: (writtenAt) => (source, id) =>
      parse(Buffer.from(id), Buffer.from(JSON.stringify(source)), { writtenAt }).ok,
    known: {
      members: new Set(members),
      otherNames: all.map(([field, { source }]) => [field, source] as const),
      localTimes: all.flatMap(([, { read, source }]) => (read === 'osloTime' ? [source] : [])),
      isUnknownCode: [],
      objects: [],
    },
    stored: {
      current: table,
      versions: `${table}_versjon`,
      changes: `${table}_endring`,
      key: columnOf(key),
      keyType: keyField.read === 'uuid' ? 'uuid' : 'text',
      order: columnOf(order),
      synced: { table: 'synk_noekkel', key: 'noekkel', type: 'text' },
      pageKeys: 'noekler',
    },
  };
}

function keyOf({ read, digits }: Field): Pick<Pushed, 'toKey' | 'keyForm'> {
  if (read === 'uuid') return { toKey: (id) => (isUuid(id) ? id.toLowerCase() : undefined), keyForm: 'must be a UUID' };
  if (digits !== undefined) {
    const form = new RegExp(`^[0-9]{${String(digits)}}$`);
    return { toKey: (id) => (form.test(id) ? id : undefined), keyForm: `must be ${String(digits)} digits` };
  }
  throw new Error(`A key can't be read as ${read}: say here what it looks like`);
}

function only(members: readonly string[], content: JsonObject): JsonObject {
  const reduced: JsonObject = {};
  for (const member of members) {
    const value = content[member];
    // JSON has nothing that is undefined.
    if (value !== undefined) reduced[member] = value;
  }
  return reduced;
}
