import {
  asJsonObject,
  isUuid,
  parseDate,
  parseInstant,
  parseOsloTime,
  type JsonObject,
  type Values,
} from '@tiltak/resource';
import { AVTALE_FIELDS, FIELDS, SOURCE_FIELDS, type Avtale, type Field } from './fields.ts';
import { ARENA_FLAGS, NEVER_BEGAN, type PhaseMarks } from './phase.ts';

/** Why a message can't be used; `reason` never contains a value from it. */
export interface ParkingReason {
  code:
    'IKKE_UTF8' | 'IKKE_JSON' | 'IKKE_OBJEKT' | 'UGYLDIG_NOKKEL' | 'UGYLDIG_FELT' | 'FREMTIDIG' | 'AVVIST_AV_DATABASEN';
  /** the source's name of the field at fault; `key` for the Kafka key; null when it is the message as a whole */
  field: string | null;
  reason: string;
}

/** What a Kafka message says about one avtale. */
export type Message =
  | { type: 'AVTALE'; avtale: Avtale; marks: PhaseMarks }
  /** `slettemerket` or AVTALE_SLETTET: obeys the ordinary ordering rule */
  | { type: 'SLETTET'; avtaleId: string; sistEndret: string }
  /**
   * a tombstone: no content, beats everything before it in its partition; with `before`, only when what is known lies
   * before that offset of the same partition
   */
  | { type: 'GRAVSTEIN'; avtaleId: string; before?: number };

/** Header of a tombstone: the offset that it does not delete beyond, as decimal digits. */
export const DELETE_BEFORE = 'slett-foer';

/** How far after its message's own time `sistEndret` may lie: clocks differ, and the newest wins for ever. */
const MAX_AHEAD_MS = 24 * 3_600_000;

/** What is known of a message beside its bytes. */
export interface MessageOrigin {
  /** of a tombstone: the offset that it does not delete beyond */
  deleteBefore?: number | undefined;
  /** When it was written, ms since 1970: the timestamp of its record. Undefined: not known, and nothing is held against it. */
  writtenAt?: number | undefined;
}

export type ParseResult = { ok: true; message: Message } | { ok: false; reason: ParkingReason };

/**
 * Reads one message of the source's topic (`source-contract`, rules 1 and 3–9). Total: whatever the bytes are, the
 * answer is a message or a precise reason, never an exception.
 */
export function parseMessage(
  key: Uint8Array | null,
  value: Uint8Array | null,
  origin: MessageOrigin = {},
): ParseResult {
  try {
    const keyText = key && utf8(key, 'key');
    return { ok: true, message: parse(keyText, value && utf8(value, null), origin) };
  } catch (error) {
    if (error instanceof UnreadableError) return { ok: false, reason: error.reason };
    if (error instanceof RangeError) return { ok: false, reason: TOO_MUCH };
    throw error;
  }
}

/**
 * As `parseMessage` of the bytes that these texts were decoded from, which need not be objects then. Undefined when it
 * can't be used, or the texts don't tell what the bytes were: then the bytes are to be read.
 *
 * @param key each byte as a character, which an avtaleId is in UTF-8 too
 * @param value what was no UTF-8 having become U+FFFD
 */
export function parseMessageText(key: string, value: string | null, origin: MessageOrigin): ParseResult | undefined {
  if (value?.includes(REPLACED)) return undefined;
  try {
    return { ok: true, message: parse(key, value, origin) };
  } catch {
    return undefined;
  }
}

/** Nothing here recurses, and no field is long; should the engine meet a limit of its own all the same, the message has. */
const TOO_MUCH: ParkingReason = { code: 'IKKE_JSON', field: null, reason: 'holds more than can be read' };

class UnreadableError extends Error {
  constructor(readonly reason: ParkingReason) {
    super(reason.reason);
  }
}

function reject(code: ParkingReason['code'], field: string | null, reason: string): never {
  throw new UnreadableError({ code, field, reason });
}

function parse(key: string | null, value: string | null, { deleteBefore, writtenAt }: MessageOrigin): Message {
  const keyText = key === null ? null : key.toLowerCase();
  if (value === null) {
    if (keyText === null || !isUuid(keyText)) {
      reject('UGYLDIG_NOKKEL', 'key', 'the key of a tombstone must be an avtaleId (UUID)');
    }
    return { type: 'GRAVSTEIN', avtaleId: keyText, ...(deleteBefore === undefined ? {} : { before: deleteBefore }) };
  }

  const source = parseJson(value);
  const avtaleId = readUuid(source, 'avtaleId');
  if (keyText !== avtaleId) reject('UGYLDIG_NOKKEL', 'key', 'the key differs from avtaleId');

  const avtale = parseAvtale(source, avtaleId);
  if (writtenAt !== undefined && isAhead(avtale.sistEndret, writtenAt)) {
    reject('FREMTIDIG', 'sistEndret', 'is more than 24 hours after the message was written');
  }
  const deleted = readBoolean(source, 'slettemerket') || source['hendelseType'] === 'AVTALE_SLETTET';
  if (deleted) return { type: 'SLETTET', avtaleId, sistEndret: avtale.sistEndret };
  return { type: 'AVTALE', avtale, marks: readMarks(source) };
}

/** Whatever else these hold is nothing to us, and no reason to park the message. */
function readMarks(source: JsonObject): PhaseMarks {
  return {
    neverBegan: NEVER_BEGAN.has(source['annullertGrunn']),
    fromArena:
      source['opphav'] === 'ARENA' || FLAGS.some(([field, flag]) => asJsonObject(source[field])?.[flag] === true),
  };
}

const FLAGS = Object.entries(ARENA_FLAGS);

/** Of a message: just what is read of it, and of its reasons only whether they are among those that count. */
export function reduceMessage(source: JsonObject): JsonObject {
  const reduced: JsonObject = {};
  for (const field of SOURCE_FIELDS) {
    const value = source[field];
    // JSON has nothing that is undefined.
    if (value !== undefined) reduced[field] = value;
  }
  if (NEVER_BEGAN.has(source['annullertGrunn'])) reduced['annullertGrunn'] = source['annullertGrunn'];
  for (const [field, flag] of FLAGS) {
    if (asJsonObject(source[field])?.[flag] === true) reduced[field] = { [flag]: true };
  }
  return reduced;
}

const DAY_MS = 24 * 3_600_000;

/** The day of the message before, and the least that a message of it may have: hardly any is later than that. */
let today = { day: NaN, latest: '' };

function isAhead(sistEndret: string, writtenAt: number): boolean {
  const day = Math.floor(writtenAt / DAY_MS);
  if (day !== today.day) today = { day, latest: latestChange(day * DAY_MS) };
  return sistEndret > today.latest && sistEndret > latestChange(writtenAt);
}

/** The last `sistEndret` that a message of that time may have, as `Instant`s are written. */
function latestChange(writtenAt: number): string {
  const latest = writtenAt + MAX_AHEAD_MS;
  // Beyond what a `sistEndret` can be.
  if (!(latest < END_OF_TIME)) return 'never';
  return `${new Date(Math.max(latest, 0)).toISOString().slice(0, -1)}000Z`;
}

const END_OF_TIME = Date.UTC(10_000, 0, 1);

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a decoder that isn't strict puts in the place of bytes that aren't UTF-8; a text may hold it by itself. */
const REPLACED = '\ufffd';

function utf8(bytes: Uint8Array, field: string | null): string {
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

function parseJson(text: string): JsonObject {
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
  organisasjonsnummer: readOrganisasjonsnummer,
  text: readText,
  integer: readInteger,
  number: readNumber,
  boolean: readBoolean,
  date: readDate,
  osloTime: readOsloTime,
  instant: readInstant,
};

/** What is read of every message, in the order of the table; `avtaleId` is read before, and held against the key. */
const FIELD_READERS = AVTALE_FIELDS.filter((name) => name !== 'avtaleId').map((name) => readerOf(name, FIELDS[name]));

const MENTORS_FIELDS = AVTALE_FIELDS.filter((name) => FIELDS[name].nullForMentor);

/** With every field from the start, all avtaler have one shape, and a field is set as fast as by its name. */
const EMPTY: Readonly<Record<string, unknown>> = Object.fromEntries(AVTALE_FIELDS.map((name) => [name, null]));

function parseAvtale(source: JsonObject, avtaleId: string): Avtale {
  const avtale: Record<string, unknown> = { ...EMPTY };
  avtale['avtaleId'] = avtaleId;
  for (const { name, source: sourceName, read } of FIELD_READERS) avtale[name] = read(source, sourceName);
  if (avtale['tiltakstype'] === 'MENTOR') for (const name of MENTORS_FIELDS) avtale[name] = null;
  // Each field was read as the table says, which is what the type is made of.
  return avtale as Avtale;
}

/**
 * Whether `parseMessage` takes the JSON of an object, under its own key: for who has the object already, and needs to know
 * no more. Without U+0000, which the JSON shows, and without numbers that JSON does not have.
 *
 * @param writtenAt as of a `MessageOrigin`
 */
export function readabilityAt(writtenAt: number): (source: JsonObject, avtaleId: string) => boolean {
  const latest = latestChange(writtenAt);
  return (source, avtaleId) => {
    try {
      if (readUuid(source, 'avtaleId') !== avtaleId) return false;
      const { sistEndret } = parseAvtale(source, avtaleId);
      readBoolean(source, 'slettemerket');
      return sistEndret <= latest;
    } catch {
      return false;
    }
  };
}

type Read = (source: JsonObject, field: string) => unknown;

function readerOf(name: string, field: Field): { name: string; source: string; read: Read } {
  const { source, required } = field;
  const read = limitedRead(READERS[field.read], field);
  return { name, source, read: required ? requiredRead(read) : read };
}

/** What is beyond the limits of the contract can't be used, however well it could be read. */
function limitedRead(read: Read, { maxLength, range }: Field): Read {
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

function readUuid(source: JsonObject, field: string): string {
  const value = source[field];
  const uuid = typeof value === 'string' ? value.toLowerCase() : '';
  if (!isUuid(uuid)) reject('UGYLDIG_FELT', field, 'must be a UUID');
  return uuid;
}

function readOrganisasjonsnummer(source: JsonObject, field: string): string | null {
  const value = readText(source, field);
  if (value !== null && !/^[0-9]{9}$/.test(value)) reject('UGYLDIG_FELT', field, 'must be nine digits or null');
  return value;
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

function readBoolean(source: JsonObject, field: string): boolean {
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
