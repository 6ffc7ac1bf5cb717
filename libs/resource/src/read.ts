import type { Field, Values } from './fields.ts';
import { asJsonObject, type JsonObject } from './json.ts';
import { parseDate, parseInstant, parseOsloTime } from './time.ts';
import { isUuid } from './uuid.ts';

/** Why a message can't be used; `reason` never contains a value from it. */
export interface ParkingReason {
  code:
    'IKKE_UTF8' | 'IKKE_JSON' | 'IKKE_OBJEKT' | 'UGYLDIG_NOKKEL' | 'UGYLDIG_FELT' | 'FREMTIDIG' | 'AVVIST_AV_DATABASEN';
  /** the source's name of the field at fault; `key` for the Kafka key; null when it is the message as a whole */
  field: string | null;
  reason: string;
}

/** Nothing here recurses, and no field is long; should the engine meet a limit of its own all the same, the message has. */
export const TOO_MUCH: ParkingReason = { code: 'IKKE_JSON', field: null, reason: 'holds more than can be read' };

export class UnreadableError extends Error {
  constructor(readonly reason: ParkingReason) {
    super(reason.reason);
  }
}

export function reject(code: ParkingReason['code'], field: string | null, reason: string): never {
  throw new UnreadableError({ code, field, reason });
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a decoder that isn't strict puts in the place of bytes that aren't UTF-8; a text may hold it by itself. */
export const REPLACED = '\ufffd';

export function utf8(bytes: Uint8Array, field: string | null): string {
  if (Buffer.isBuffer(bytes)) {
    // In half the time that the strict one takes.
    const text = bytes.toString();
    if (!text.includes(REPLACED)) return text;
  }
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return reject('IKKE_UTF8', field, 'not valid UTF-8');
  }
}

export function parseJson(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    reject('IKKE_JSON', null, 'not valid JSON');
  }
  const object = asJsonObject(value);
  if (!object) reject('IKKE_OBJEKT', null, 'the message is not a JSON object');
  // Postgres can't hold U+0000 in text. Only a message with the escape in it needs to be walked through.
  if (text.includes('\\u0000')) {
    const field = findNul(object);
    if (field !== undefined) reject('UGYLDIG_FELT', nameToTell(field), 'contains U+0000');
  }
  return object;
}

/** Without recursion: a message may be nested deeper than a call can be. */
function findNul(message: JsonObject): string | undefined {
  for (const [field, value] of Object.entries(message)) {
    if (field.includes('\0')) return field;
    for (const open = [value]; open.length > 0;) {
      const part = open.pop();
      if (typeof part === 'string' && part.includes('\0')) return field;
      if (typeof part !== 'object' || part === null) continue;
      for (const [name, member] of Object.entries(part)) {
        if (name.includes('\0')) return field;
        open.push(member);
      }
    }
  }
  return undefined;
}

/** A name that nobody knows is the sender's own text, of any length; it is shown, and is a label of a metric. */
function nameToTell(field: string): string {
  return /^[a-zæøå_][\wæøåÆØÅ]{0,59}$/i.test(field) && !/\d{6}/.test(field) ? field : 'ukjent';
}

const READERS: { [K in keyof Values]: (source: JsonObject, field: string) => Values[K] | null } = {
  uuid: readUuid,
  text: readText,
  integer: readInteger,
  number: readNumber,
  boolean: readBoolean,
  date: readDate,
  osloTime: readOsloTime,
  instant: readInstant,
};

type Read = (source: JsonObject, field: string) => unknown;

/** How a field is read of a message, by the table of fields. */
export function readerOf(name: string, field: Field): { name: string; source: string; read: Read } {
  const { source, required } = field;
  const read = limitedRead(READERS[field.read], field);
  return { name, source, read: required ? requiredRead(read) : read };
}

/** What is beyond the limits of the contract can't be used, however well it could be read. */
function limitedRead(read: Read, { maxLength, digits, range }: Field): Read {
  if (digits !== undefined) {
    const form = new RegExp(`^[0-9]{${String(digits)}}$`);
    return (source, field) => {
      const text = read(source, field);
      if (typeof text === 'string' && !form.test(text)) {
        reject('UGYLDIG_FELT', field, `must be ${String(digits)} digits or null`);
      }
      return text;
    };
  }
  if (maxLength !== undefined) {
    return (source, field) => {
      const text = read(source, field);
      if (typeof text === 'string' && isLonger(text, maxLength)) {
        reject('UGYLDIG_FELT', field, `is longer than ${String(maxLength)} characters`);
      }
      return text;
    };
  }
  if (range === undefined) return read;
  const [min, max] = range;
  return (source, field) => {
    const number = read(source, field);
    if (typeof number === 'number' && (number < min || number > max)) {
      reject('UGYLDIG_FELT', field, `must be from ${String(min)} to ${String(max)}`);
    }
    return number;
  };
}

/** Counted as JSON Schema counts: a character outside the basic plane is one. */
function isLonger(text: string, max: number): boolean {
  return text.length > max && (text.length > 2 * max || Array.from(text).length > max);
}

function requiredRead(read: Read): Read {
  return (source, field) => read(source, field) ?? reject('UGYLDIG_FELT', field, 'is missing');
}

export function readUuid(source: JsonObject, field: string): string {
  const value = source[field];
  const uuid = typeof value === 'string' ? value.toLowerCase() : '';
  if (!isUuid(uuid)) reject('UGYLDIG_FELT', field, 'must be a UUID');
  return uuid;
}

function readText(source: JsonObject, field: string): string | null {
  const value = source[field] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string') return reject('UGYLDIG_FELT', field, 'must be text or null');
  // A lone surrogate has no UTF-8 form: it would be stored as another character than was sent.
  if (!value.isWellFormed()) return reject('UGYLDIG_FELT', field, 'contains a lone surrogate');
  return value;
}

function readNumber(source: JsonObject, field: string): number | null {
  const value = source[field] ?? null;
  if (value === null) return null;
  // JSON.parse reads 1e999 as Infinity.
  if (typeof value !== 'number' || !Number.isFinite(value)) reject('UGYLDIG_FELT', field, 'must be a number or null');
  return value;
}

function readInteger(source: JsonObject, field: string): number | null {
  const value = readNumber(source, field);
  if (value === null) return null;
  if (value !== (value | 0)) reject('UGYLDIG_FELT', field, 'must be a whole number of 32 bits or null');
  return value;
}

export function readBoolean(source: JsonObject, field: string): boolean {
  const value = source[field] ?? false;
  if (typeof value !== 'boolean') reject('UGYLDIG_FELT', field, 'must be true, false or null');
  return value;
}

function readDate(source: JsonObject, field: string): string | null {
  const value = readText(source, field);
  if (value === null) return null;
  return parseDate(value) ?? reject('UGYLDIG_FELT', field, 'must be an existing date, YYYY-MM-DD, or null');
}

function readOsloTime(source: JsonObject, field: string): string | null {
  const value = readText(source, field);
  if (value === null) return null;
  return (
    parseOsloTime(value) ?? reject('UGYLDIG_FELT', field, 'must be a local time, YYYY-MM-DDTHH:mm:ss[.f], or null')
  );
}

function readInstant(source: JsonObject, field: string): string | null {
  const value = readText(source, field);
  if (value === null) return null;
  return parseInstant(value) ?? reject('UGYLDIG_FELT', field, 'must be a time with offset, YYYY-MM-DDTHH:mm:ss[.f]Z');
}
