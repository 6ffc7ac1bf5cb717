import { isUuid, OPEN_SOURCE_FIELDS, parseJsonObject } from '@tiltak/avtale';

const HIDDEN = '•••';
const MAX_CHARS = 4_000;
const MAX_FIELD_VALUE = 60;

/**
 * A raw message for people on duty: a JSON object with the values of the fields that the table says are not about a
 * person; of anything else only the shape, letters as `x` and digits as `0`, which still shows where JSON broke. Null for
 * a tombstone.
 */
export function maskMessage(value: Buffer | null): string | null {
  if (value === null) return null;
  const text = value.toString('utf8');
  const object = parseJsonObject(text);
  if (!object) return shape(text.slice(0, MAX_CHARS));
  const fields = Object.entries(object).map(([name, member]) => [maskName(name), maskField(name, member)] as const);
  return hideIdents(JSON.stringify(Object.fromEntries(fields), null, 2)).slice(0, MAX_CHARS);
}

/** The Kafka key: an avtaleId as it is, of anything else the shape. */
export function maskKey(key: Buffer | null): string | null {
  if (key === null) return null;
  const text = key.toString('utf8');
  return isUuid(text) ? text : shape(text.slice(0, 100));
}

/** A name of a field is as free as a value. */
function maskName(name: string): string {
  return /^[\p{L}_]\w{0,59}$/u.test(name.replaceAll(/[æøå]/gi, 'a')) ? name : shape(name.slice(0, MAX_FIELD_VALUE));
}

function maskField(name: string, value: unknown): unknown {
  // That nothing is there is often why it could not be used.
  if (value === null) return value;
  if (!OPEN_SOURCE_FIELDS.has(name) || typeof value === 'object') return HIDDEN;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  const text = String(value);
  // UUIDs and times are longer than words; what is longer than those is not what the field is for.
  return text.length > MAX_FIELD_VALUE ? HIDDEN : text;
}

/** Eleven digits in a row or more, also with the usual space after six. */
function hideIdents(text: string): string {
  return text.replaceAll(/\d{6} ?\d{5,}/g, '***********');
}

function shape(text: string): string {
  return text
    .replaceAll(/\p{L}/gu, 'x')
    .replaceAll(/\p{N}/gu, '0')
    .replaceAll(/[^\p{L}\p{N}\p{P}\p{S}\s]/gu, '?');
}
