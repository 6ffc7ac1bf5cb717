import { isUtf8 } from 'node:buffer';
import type { ExpectedLife } from './phase.ts';
import { readDate, readInstant, readOsloTime } from './time.ts';

/** The reduced dataset. Instants: UTC with six fraction digits. Dates: YYYY-MM-DD. Coded values as they came. */
export interface ExpectedAvtale {
  avtaleId: string;
  avtaleNr: number | null;
  deltakerFnr: string | null;
  bedriftNr: string | null;
  bedriftNavn: string | null;
  veilederNavIdent: string | null;
  tiltakstype: string | null;
  versjon: number | null;
  avtaleStatus: string | null;
  avtaleInngaatt: string | null;
  startDato: string | null;
  sluttDato: string | null;
  stillingprosent: number | null;
  antallDagerPerUke: number | null;
  stillingstype: string | null;
  godkjentAvDeltaker: string | null;
  godkjentAvArbeidsgiver: string | null;
  godkjentAvVeileder: string | null;
  godkjentAvBeslutter: string | null;
  godkjentAvNavIdent: string | null;
  godkjentAvBeslutterNavIdent: string | null;
  godkjentPaaVegneAv: boolean;
  godkjentPaaVegneAvArbeidsgiver: boolean;
  opphav: string | null;
  opprettetTidspunkt: string | null;
  annullertTidspunkt: string | null;
  feilregistrert: boolean;
  sistEndret: string;
}

/** What one message says. */
export type StatedMessage =
  | {
      type: 'AVTALE';
      avtaleId: string;
      sistEndret: string;
      avtale: ExpectedAvtale;
      marks: Omit<ExpectedLife, 'everEntered'>;
    }
  | { type: 'SLETTET'; avtaleId: string; sistEndret: string }
  | { type: 'GRAVSTEIN'; avtaleId: string };

/** The message is parked. `field` is the source's name; 'key' for the key, null for the message as a whole. */
export class UnusableError extends Error {
  readonly field: string | null;
  constructor(field: string | null) {
    super(`parked: ${field ?? 'the message'}`);
    this.field = field;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const DAY_MS = 86_400_000;

/** Rules 1, 3, 6, 8 and 9, and that no change comes from more than a day after it was told. Throws `UnusableError`. */
export function readMessage(
  rawKey: string | Buffer | null,
  value: string | Buffer | null,
  writtenAt: number,
): StatedMessage {
  const key = rawKey === null ? null : textOf(rawKey, 'key').toLowerCase();
  if (value === null) {
    if (key === null || !UUID.test(key)) throw new UnusableError('key');
    return { type: 'GRAVSTEIN', avtaleId: key };
  }
  const m = jsonOf(textOf(value, null));
  const avtaleId = text(m, 'avtaleId')?.toLowerCase() ?? '';
  if (!UUID.test(avtaleId)) throw new UnusableError('avtaleId');
  if (key !== avtaleId) throw new UnusableError('key');
  const avtale = avtaleOf(m, avtaleId);
  const { sistEndret } = avtale;
  if (Date.parse(sistEndret) > writtenAt + DAY_MS) throw new UnusableError('sistEndret');
  const deleted = flag(m, 'slettemerket') || m['hendelseType'] === 'AVTALE_SLETTET';
  if (deleted) return { type: 'SLETTET', avtaleId, sistEndret };
  return { type: 'AVTALE', avtaleId, sistEndret, avtale, marks: marksOf(m) };
}

function marksOf(m: Message): Omit<ExpectedLife, 'everEntered'> {
  const reason = m['annullertGrunn'];
  const isSet = (field: string, flag: string): boolean => (m[field] as Message | null | undefined)?.[flag] === true;
  return {
    neverBegan: reason === 'Ikke møtt' || reason === 'Avtalen finnes ikke i Arena',
    fromArena:
      m['opphav'] === 'ARENA' ||
      isSet('godkjentPaVegneGrunn', 'arenaMigreringDeltaker') ||
      isSet('godkjentPaVegneAvArbeidsgiverGrunn', 'arenaMigreringArbeidsgiver'),
  };
}

function avtaleOf(m: Message, avtaleId: string): ExpectedAvtale {
  const avtale = {
    avtaleId,
    avtaleNr: integer(m, 'avtaleNr'),
    deltakerFnr: text(m, 'deltakerFnr'),
    bedriftNr: text(m, 'bedriftNr'),
    bedriftNavn: text(m, 'bedriftNavn'),
    veilederNavIdent: text(m, 'veilederNavIdent'),
    tiltakstype: text(m, 'tiltakstype'),
    versjon: integer(m, 'versjon'),
    avtaleStatus: text(m, 'avtaleStatus'),
    avtaleInngaatt: time(m, 'avtaleInngått', readOsloTime),
    startDato: time(m, 'startDato', readDate),
    sluttDato: time(m, 'sluttDato', readDate),
    stillingprosent: share(m, 'stillingprosent'),
    antallDagerPerUke: share(m, 'antallDagerPerUke'),
    stillingstype: text(m, 'stillingstype'),
    godkjentAvDeltaker: time(m, 'godkjentAvDeltaker', readOsloTime),
    godkjentAvArbeidsgiver: time(m, 'godkjentAvArbeidsgiver', readOsloTime),
    godkjentAvVeileder: time(m, 'godkjentAvVeileder', readOsloTime),
    godkjentAvBeslutter: time(m, 'godkjentAvBeslutter', readOsloTime),
    godkjentAvNavIdent: text(m, 'godkjentAvNavIdent'),
    godkjentAvBeslutterNavIdent: text(m, 'godkjentAvBeslutterNavIdent'),
    godkjentPaaVegneAv: flag(m, 'godkjentPaVegneAv'),
    godkjentPaaVegneAvArbeidsgiver: flag(m, 'godkjentPaVegneAvArbeidsgiver'),
    opphav: text(m, 'opphav'),
    opprettetTidspunkt: time(m, 'opprettetTidspunkt', readOsloTime),
    annullertTidspunkt: time(m, 'annullertTidspunkt', readInstant),
    feilregistrert: flag(m, 'feilregistrert'),
    sistEndret: time(m, 'sistEndret', readInstant) ?? unusable('sistEndret'),
  };
  // Of a mentor's avtale they describe the mentor's position.
  return avtale.tiltakstype === 'MENTOR' ? { ...avtale, stillingprosent: null, antallDagerPerUke: null } : avtale;
}

type Message = Record<string, unknown>;

function unusable(field: string | null): never {
  throw new UnusableError(field);
}

function textOf(bytes: string | Buffer, field: string | null): string {
  if (typeof bytes === 'string') return bytes;
  return isUtf8(bytes) ? bytes.toString('utf8') : unusable(field);
}

function jsonOf(json: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return unusable(null);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unusable(null);
  const withNul = Object.entries(value).find(([, part]) => hasNul(part));
  return withNul ? unusable(withNul[0]) : (value as Message);
}

/** A text with U+0000 in it, at any depth: deeper than a call can be. */
function hasNul(value: unknown): boolean {
  for (const open = [value]; open.length > 0;) {
    const part = open.pop();
    if (typeof part === 'string' && part.includes('\0')) return true;
    if (typeof part !== 'object' || part === null) continue;
    for (const one of Object.values(part)) open.push(one);
  }
  return false;
}

/** The most characters of a text, by the source's name; of the codes 100. */
const LONGEST: Readonly<Record<string, number>> = {
  deltakerFnr: 50,
  bedriftNr: 20,
  bedriftNavn: 1_000,
  veilederNavIdent: 50,
  godkjentAvNavIdent: 50,
  godkjentAvBeslutterNavIdent: 50,
};

/** Half of a surrogate pair is no character: it has no UTF-8 form. */
function text(m: Message, field: string): string | null {
  const value = m[field] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string' || !value.isWellFormed()) return unusable(field);
  return Array.from(value).length <= (LONGEST[field] ?? 100) ? value : unusable(field);
}

/** JSON can write numbers that are too large to be read. */
function number(m: Message, field: string): number | null {
  const value = m[field] ?? null;
  if (value === null) return null;
  return typeof value === 'number' && Number.isFinite(value) ? value : unusable(field);
}

/** Of what can be measured. */
function share(m: Message, field: string): number | null {
  const value = number(m, field);
  return value === null || Math.abs(value) <= 1_000_000 ? value : unusable(field);
}

function integer(m: Message, field: string): number | null {
  const value = number(m, field);
  if (value === null) return null;
  return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 ? value : unusable(field);
}

function flag(m: Message, field: string): boolean {
  const value = m[field] ?? false;
  return typeof value === 'boolean' ? value : unusable(field);
}

function time(m: Message, field: string, read: (text: string) => string | undefined): string | null {
  const value = text(m, field);
  return value === null ? null : (read(value) ?? unusable(field));
}
