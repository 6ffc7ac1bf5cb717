import type { Avtale } from './avtale.ts';
import { parseDate, parseInstant, parseOsloTime } from './time.ts';

/** Why a message can't be used; `aarsak` never contains a value from it. */
export interface ParkingReason {
  code: 'IKKE_UTF8' | 'IKKE_JSON' | 'IKKE_OBJEKT' | 'UGYLDIG_NOKKEL' | 'UGYLDIG_FELT' | 'AVVIST_AV_DATABASEN';
  /** the source's name of the field at fault; `key` for the Kafka key; null when it is the message as a whole */
  field: string | null;
  reason: string;
}

/** What a Kafka message says about one avtale. */
export type Message =
  | { type: 'AVTALE'; avtale: Avtale }
  /** `slettemerket` or AVTALE_SLETTET: obeys the ordinary ordering rule */
  | { type: 'SLETTET'; avtaleId: string; sistEndret: string }
  /**
   * a tombstone: no content, beats everything before it in its partition; with `foer`, only when what is known lies
   * before that offset of the same partition
   */
  | { type: 'GRAVSTEIN'; avtaleId: string; before?: number };

/** Header of a tombstone: the offset that it does not delete beyond, as decimal digits. */
export const DELETE_BEFORE = 'slett-foer';

export type ParseResult = { ok: true; message: Message } | { ok: false; reason: ParkingReason };

/**
 * Reads one message of the source's topic (`source-contract`, rules 1 and 3–9). Total: whatever the bytes are, the
 * answer is a message or a precise reason, never an exception.
 */
export function parseMessage(key: Uint8Array | null, value: Uint8Array | null, deleteBefore?: number): ParseResult {
  try {
    return { ok: true, message: parse(key, value, deleteBefore) };
  } catch (error) {
    if (error instanceof UnreadableError) return { ok: false, reason: error.reason };
    throw error;
  }
}

class UnreadableError extends Error {
  constructor(readonly reason: ParkingReason) {
    super(reason.reason);
  }
}

function reject(code: ParkingReason['code'], field: string | null, reason: string): never {
  throw new UnreadableError({ code, field, reason });
}

function parse(key: Uint8Array | null, value: Uint8Array | null, deleteBefore: number | undefined): Message {
  const keyText = key === null ? null : utf8(key, 'key').toLowerCase();
  if (value === null) {
    if (keyText === null || !UUID.test(keyText)) {
      reject('UGYLDIG_NOKKEL', 'key', 'the key of a tombstone must be an avtaleId (UUID)');
    }
    return { type: 'GRAVSTEIN', avtaleId: keyText, ...(deleteBefore === undefined ? {} : { before: deleteBefore }) };
  }

  const source = parseJson(utf8(value, null));
  const avtaleId = parseAvtaleId(source);
  if (keyText !== avtaleId) reject('UGYLDIG_NOKKEL', 'key', 'the key differs from avtaleId');

  const avtale = parseAvtale(source, avtaleId);
  const deleted = readBoolean(source, 'slettemerket') || source['hendelseType'] === 'AVTALE_SLETTET';
  return deleted ? { type: 'SLETTET', avtaleId, sistEndret: avtale.sistEndret } : { type: 'AVTALE', avtale };
}

type SourceObject = Record<string, unknown>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const stringUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array, field: string | null): string {
  try {
    return stringUtf8.decode(bytes);
  } catch {
    return reject('IKKE_UTF8', field, 'not valid UTF-8');
  }
}

function parseJson(readText: string): SourceObject {
  let value: unknown;
  try {
    value = JSON.parse(readText);
  } catch {
    reject('IKKE_JSON', null, 'not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reject('IKKE_OBJEKT', null, 'the message is not a JSON object');
  }
  // Postgres can't hold U+0000 in text. Only a message with the escape in it needs to be walked through.
  if (readText.includes('\\u0000')) {
    const field = findNul(value as SourceObject);
    if (field) reject('UGYLDIG_FELT', field, 'contains U+0000');
  }
  return value as SourceObject;
}

function findNul(value: unknown, field = ''): string | undefined {
  if (typeof value === 'string') return value.includes('\0') ? field : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, part] of Object.entries(value)) {
    const hits = name.includes('\0') ? field || 'unknown field' : findNul(part, field || name);
    if (hits) return hits;
  }
  return undefined;
}

function parseAvtaleId(source: SourceObject): string {
  const id = source['avtaleId'];
  const avtaleId = typeof id === 'string' ? id.toLowerCase() : '';
  if (!UUID.test(avtaleId)) reject('UGYLDIG_FELT', 'avtaleId', 'must be a UUID');
  return avtaleId;
}

/** The fields of a message that this system reads, by the source's names. Nothing else of a message matters. */
export const SOURCE_FIELDS = [
  'avtaleId',
  'avtaleNr',
  'deltakerFnr',
  'bedriftNr',
  'bedriftNavn',
  'veilederNavIdent',
  'tiltakstype',
  'versjon',
  'avtaleStatus',
  'avtaleInngått',
  'startDato',
  'sluttDato',
  'stillingprosent',
  'antallDagerPerUke',
  'stillingstype',
  'godkjentAvDeltaker',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'godkjentAvNavIdent',
  'godkjentAvBeslutterNavIdent',
  'godkjentPaVegneAv',
  'godkjentPaVegneAvArbeidsgiver',
  'opphav',
  'opprettetTidspunkt',
  'annullertTidspunkt',
  'feilregistrert',
  'sistEndret',
  'slettemerket',
] as const;

function parseAvtale(source: SourceObject, avtaleId: string): Avtale {
  const tiltakstype = readText(source, 'tiltakstype');
  // For MENTOR these two describe the mentor's position, not the participant's (rule 8).
  const stillingprosent = readNumber(source, 'stillingprosent');
  const antallDagerPerUke = readNumber(source, 'antallDagerPerUke');
  const describesMentor = tiltakstype === 'MENTOR';
  return {
    avtaleId,
    avtaleNr: readInteger(source, 'avtaleNr'),
    deltakerFnr: readText(source, 'deltakerFnr'),
    bedriftNr: readText(source, 'bedriftNr'),
    bedriftNavn: readText(source, 'bedriftNavn'),
    veilederNavIdent: readText(source, 'veilederNavIdent'),
    tiltakstype,
    versjon: readInteger(source, 'versjon'),
    avtaleStatus: readText(source, 'avtaleStatus'),
    avtaleInngaatt: readOsloTime(source, 'avtaleInngått'),
    startDato: readDate(source, 'startDato'),
    sluttDato: readDate(source, 'sluttDato'),
    stillingprosent: describesMentor ? null : stillingprosent,
    antallDagerPerUke: describesMentor ? null : antallDagerPerUke,
    stillingstype: readText(source, 'stillingstype'),
    godkjentAvDeltaker: readOsloTime(source, 'godkjentAvDeltaker'),
    godkjentAvArbeidsgiver: readOsloTime(source, 'godkjentAvArbeidsgiver'),
    godkjentAvVeileder: readOsloTime(source, 'godkjentAvVeileder'),
    godkjentAvBeslutter: readOsloTime(source, 'godkjentAvBeslutter'),
    godkjentAvNavIdent: readText(source, 'godkjentAvNavIdent'),
    godkjentAvBeslutterNavIdent: readText(source, 'godkjentAvBeslutterNavIdent'),
    godkjentPaaVegneAv: readBoolean(source, 'godkjentPaVegneAv'),
    godkjentPaaVegneAvArbeidsgiver: readBoolean(source, 'godkjentPaVegneAvArbeidsgiver'),
    opphav: readText(source, 'opphav'),
    opprettetTidspunkt: readOsloTime(source, 'opprettetTidspunkt'),
    annullertTidspunkt: readInstant(source, 'annullertTidspunkt'),
    feilregistrert: readBoolean(source, 'feilregistrert'),
    sistEndret: readInstant(source, 'sistEndret') ?? reject('UGYLDIG_FELT', 'sistEndret', 'is missing'),
  };
}

function readText(source: SourceObject, field: string): string | null {
  const value = source[field] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string') return reject('UGYLDIG_FELT', field, 'must be text or null');
  // A lone surrogate has no UTF-8 form: it would be stored as another character than was sent.
  if (!value.isWellFormed()) return reject('UGYLDIG_FELT', field, 'contains a lone surrogate');
  return value;
}

function readNumber(source: SourceObject, field: string): number | null {
  const value = source[field] ?? null;
  if (value === null) return null;
  // JSON.parse reads 1e999 as Infinity.
  if (typeof value !== 'number' || !Number.isFinite(value)) reject('UGYLDIG_FELT', field, 'must be a number or null');
  return value;
}

function readInteger(source: SourceObject, field: string): number | null {
  const value = readNumber(source, field);
  if (value === null) return null;
  if (value !== (value | 0)) reject('UGYLDIG_FELT', field, 'must be a whole number of 32 bits or null');
  return value;
}

function readBoolean(source: SourceObject, field: string): boolean {
  const value = source[field] ?? false;
  if (typeof value !== 'boolean') reject('UGYLDIG_FELT', field, 'must be true, false or null');
  return value;
}

function readDate(source: SourceObject, field: string): string | null {
  const value = readText(source, field);
  if (value === null) return null;
  return parseDate(value) ?? reject('UGYLDIG_FELT', field, 'must be an existing date, YYYY-MM-DD, or null');
}

function readOsloTime(source: SourceObject, field: string): string | null {
  const value = readText(source, field);
  if (value === null) return null;
  return (
    parseOsloTime(value) ?? reject('UGYLDIG_FELT', field, 'must be a local time, YYYY-MM-DDTHH:mm:ss[.f], or null')
  );
}

function readInstant(source: SourceObject, field: string): string | null {
  const value = readText(source, field);
  if (value === null) return null;
  return parseInstant(value) ?? reject('UGYLDIG_FELT', field, 'must be a time with offset, YYYY-MM-DDTHH:mm:ss[.f]Z');
}
