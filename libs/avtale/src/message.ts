import {
  asJsonObject,
  isAhead,
  isUuid,
  latestChange,
  parseJson,
  readBoolean,
  readerOf,
  readUuid,
  reject,
  REPLACED,
  TOO_MUCH,
  UnreadableError,
  utf8,
  type JsonObject,
  type MessageOrigin,
  type ParkingReason,
} from '@tiltak/resource';
import { AVTALE_FIELDS, FIELDS, SOURCE_FIELDS, type Avtale } from './fields.ts';
import { ARENA_FLAGS, NEVER_BEGAN, type PhaseMarks } from './phase.ts';

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
