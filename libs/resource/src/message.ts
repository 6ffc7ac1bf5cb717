import type { Field, Instant } from './fields.ts';
import { isAhead, type MessageOrigin } from './origin.ts';
import {
  parseJson,
  readBoolean,
  readerOf,
  reject,
  TOO_MUCH,
  UnreadableError,
  utf8,
  type ParkingReason,
} from './read.ts';
import type { Resource } from './resource.ts';

/** What a message says about one of a resource, in words of no resource: as `Message` of avtaler. */
export type ResourceMessage =
  | { type: 'INNHOLD'; key: string; sistEndret: Instant; values: ResourceValues }
  /** `slettemerket`: obeys the ordinary ordering rule */
  | { type: 'SLETTET'; key: string; sistEndret: Instant }
  /** a tombstone; with `before`, as of an avtale */
  | { type: 'GRAVSTEIN'; key: string; before?: number };

/** Each field as its row of the table says. */
export type ResourceValues = Readonly<Record<string, string | number | boolean | null>>;

export type ParseResourceMessage = (
  key: Uint8Array | null,
  value: Uint8Array | null,
  origin?: MessageOrigin,
) => { ok: true; message: ResourceMessage } | { ok: false; reason: ParkingReason };

/**
 * How the messages of a resource are read: by the table of its fields, and by nothing else. Total: whatever the bytes are,
 * the answer is a message or a precise reason.
 */
export function parserOf(resource: Resource): ParseResourceMessage {
  const { key: keyField, order, fields } = resource;
  const readers = Object.entries(fields).map(([name, field]) => readerOf(name, field));
  const readKey = readerOfKey(keyField, fields[keyField]);
  const parse = (
    key: string | null,
    text: string | null,
    { deleteBefore, writtenAt }: MessageOrigin,
  ): ResourceMessage => {
    if (text === null) {
      const before = deleteBefore === undefined ? {} : { before: deleteBefore };
      return { type: 'GRAVSTEIN', key: readKey(key), ...before };
    }
    const source = parseJson(text);
    const values: Record<string, ResourceValues[string]> = {};
    for (const { name, source: sourceName, read } of readers) {
      values[name] = read(source, sourceName) as ResourceValues[string];
    }
    const id = String(values[keyField]);
    if (key === null || normal(key, fields[keyField]) !== id) {
      reject('UGYLDIG_NOKKEL', 'key', `the key differs from ${keyField}`);
    }
    const sistEndret = String(values[order]);
    if (writtenAt !== undefined && isAhead(sistEndret, writtenAt)) {
      reject('FREMTIDIG', order, 'is more than 24 hours after the message was written');
    }
    if (readBoolean(source, 'slettemerket')) return { type: 'SLETTET', key: id, sistEndret };
    return { type: 'INNHOLD', key: id, sistEndret, values };
  };
  return (key, value, origin = {}) => {
    try {
      const keyText = key && utf8(key, 'key');
      return { ok: true, message: parse(keyText, value && utf8(value, null), origin) };
    } catch (error) {
      if (error instanceof UnreadableError) return { ok: false, reason: error.reason };
      if (error instanceof RangeError) return { ok: false, reason: TOO_MUCH };
      throw error;
    }
  };
}

/** Of a tombstone, which says nothing else: the key as the field itself would have to be. */
function readerOfKey(name: string, field: Field | undefined): (key: string | null) => string {
  if (!field?.required) throw new Error(`${name} must be a field that every message has`);
  const { read } = readerOf(name, field);
  return (key) => {
    try {
      return String(read({ [field.source]: key && normal(key, field) }, field.source));
    } catch {
      return reject('UGYLDIG_NOKKEL', 'key', `the key of a tombstone must be of the form of ${name}`);
    }
  };
}

const normal = (key: string, field: Field | undefined): string => (field?.read === 'uuid' ? key.toLowerCase() : key);
