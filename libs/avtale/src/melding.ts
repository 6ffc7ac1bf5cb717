import type { Avtale } from './avtale.ts';
import { lesDato, lesInstant, lesOslotid } from './tid.ts';

/** Why a message can't be used; `aarsak` never contains a value from it. */
export interface Parkeringsgrunn {
  kode: 'IKKE_UTF8' | 'IKKE_JSON' | 'IKKE_OBJEKT' | 'UGYLDIG_NOKKEL' | 'UGYLDIG_FELT' | 'AVVIST_AV_DATABASEN';
  /** the source's name of the field at fault; `key` for the Kafka key; null when it is the message as a whole */
  felt: string | null;
  aarsak: string;
}

/** What a Kafka message says about one avtale. */
export type Melding =
  | { type: 'AVTALE'; avtale: Avtale }
  /** `slettemerket` or AVTALE_SLETTET: obeys the ordinary ordering rule */
  | { type: 'SLETTET'; avtaleId: string; sistEndret: string }
  /**
   * a tombstone: no content, beats everything before it in its partition; with `foer`, only when what is known lies
   * before that offset of the same partition
   */
  | { type: 'GRAVSTEIN'; avtaleId: string; foer?: number };

/** Header of a tombstone: the offset that it does not delete beyond, as decimal digits. */
export const SLETT_FOER = 'slett-foer';

export type Tolket = { ok: true; melding: Melding } | { ok: false; grunn: Parkeringsgrunn };

/**
 * Reads one message of the source's topic (`source-contract`, rules 1 and 3–9). Total: whatever the bytes are, the
 * answer is a message or a precise reason, never an exception.
 */
export function tolkMelding(nokkel: Uint8Array | null, verdi: Uint8Array | null, slettFoer?: number): Tolket {
  try {
    return { ok: true, melding: les(nokkel, verdi, slettFoer) };
  } catch (feil) {
    if (feil instanceof Uleselig) return { ok: false, grunn: feil.grunn };
    throw feil;
  }
}

class Uleselig extends Error {
  constructor(readonly grunn: Parkeringsgrunn) {
    super(grunn.aarsak);
  }
}

function parker(kode: Parkeringsgrunn['kode'], felt: string | null, aarsak: string): never {
  throw new Uleselig({ kode, felt, aarsak });
}

function les(nokkel: Uint8Array | null, verdi: Uint8Array | null, slettFoer: number | undefined): Melding {
  const nokkeltekst = nokkel === null ? null : utf8(nokkel, 'key').toLowerCase();
  if (verdi === null) {
    if (nokkeltekst === null || !UUID.test(nokkeltekst)) {
      parker('UGYLDIG_NOKKEL', 'key', 'the key of a tombstone must be an avtaleId (UUID)');
    }
    return { type: 'GRAVSTEIN', avtaleId: nokkeltekst, ...(slettFoer === undefined ? {} : { foer: slettFoer }) };
  }

  const kilde = lesJson(utf8(verdi, null));
  const avtaleId = lesAvtaleId(kilde);
  if (nokkeltekst !== avtaleId) parker('UGYLDIG_NOKKEL', 'key', 'the key differs from avtaleId');

  const avtale = lesAvtale(kilde, avtaleId);
  const slettet = boolsk(kilde, 'slettemerket') || kilde['hendelseType'] === 'AVTALE_SLETTET';
  return slettet ? { type: 'SLETTET', avtaleId, sistEndret: avtale.sistEndret } : { type: 'AVTALE', avtale };
}

type Kilde = Record<string, unknown>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const strengUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array, felt: string | null): string {
  try {
    return strengUtf8.decode(bytes);
  } catch {
    return parker('IKKE_UTF8', felt, 'not valid UTF-8');
  }
}

function lesJson(tekst: string): Kilde {
  let verdi: unknown;
  try {
    verdi = JSON.parse(tekst);
  } catch {
    parker('IKKE_JSON', null, 'not valid JSON');
  }
  if (typeof verdi !== 'object' || verdi === null || Array.isArray(verdi)) {
    parker('IKKE_OBJEKT', null, 'the message is not a JSON object');
  }
  // Postgres can't hold U+0000 in text. Only a message with the escape in it needs to be walked through.
  if (tekst.includes('\\u0000')) {
    const felt = finnNull(verdi as Kilde);
    if (felt) parker('UGYLDIG_FELT', felt, 'contains U+0000');
  }
  return verdi as Kilde;
}

function finnNull(verdi: unknown, felt = ''): string | undefined {
  if (typeof verdi === 'string') return verdi.includes('\0') ? felt : undefined;
  if (typeof verdi !== 'object' || verdi === null) return undefined;
  for (const [navn, del] of Object.entries(verdi)) {
    const treff = navn.includes('\0') ? felt || 'unknown field' : finnNull(del, felt || navn);
    if (treff) return treff;
  }
  return undefined;
}

function lesAvtaleId(kilde: Kilde): string {
  const id = kilde['avtaleId'];
  const avtaleId = typeof id === 'string' ? id.toLowerCase() : '';
  if (!UUID.test(avtaleId)) parker('UGYLDIG_FELT', 'avtaleId', 'must be a UUID');
  return avtaleId;
}

/** The fields of a message that this system reads, by the source's names. Nothing else of a message matters. */
export const KILDEFELTER = [
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

function lesAvtale(kilde: Kilde, avtaleId: string): Avtale {
  const tiltakstype = tekst(kilde, 'tiltakstype');
  // For MENTOR these two describe the mentor's position, not the participant's (rule 8).
  const stillingprosent = tall(kilde, 'stillingprosent');
  const antallDagerPerUke = tall(kilde, 'antallDagerPerUke');
  const gjelderMentor = tiltakstype === 'MENTOR';
  return {
    avtaleId,
    avtaleNr: heltall(kilde, 'avtaleNr'),
    deltakerFnr: tekst(kilde, 'deltakerFnr'),
    bedriftNr: tekst(kilde, 'bedriftNr'),
    bedriftNavn: tekst(kilde, 'bedriftNavn'),
    veilederNavIdent: tekst(kilde, 'veilederNavIdent'),
    tiltakstype,
    versjon: heltall(kilde, 'versjon'),
    avtaleStatus: tekst(kilde, 'avtaleStatus'),
    avtaleInngaatt: oslotid(kilde, 'avtaleInngått'),
    startDato: dato(kilde, 'startDato'),
    sluttDato: dato(kilde, 'sluttDato'),
    stillingprosent: gjelderMentor ? null : stillingprosent,
    antallDagerPerUke: gjelderMentor ? null : antallDagerPerUke,
    stillingstype: tekst(kilde, 'stillingstype'),
    godkjentAvDeltaker: oslotid(kilde, 'godkjentAvDeltaker'),
    godkjentAvArbeidsgiver: oslotid(kilde, 'godkjentAvArbeidsgiver'),
    godkjentAvVeileder: oslotid(kilde, 'godkjentAvVeileder'),
    godkjentAvBeslutter: oslotid(kilde, 'godkjentAvBeslutter'),
    godkjentAvNavIdent: tekst(kilde, 'godkjentAvNavIdent'),
    godkjentAvBeslutterNavIdent: tekst(kilde, 'godkjentAvBeslutterNavIdent'),
    godkjentPaaVegneAv: boolsk(kilde, 'godkjentPaVegneAv'),
    godkjentPaaVegneAvArbeidsgiver: boolsk(kilde, 'godkjentPaVegneAvArbeidsgiver'),
    opphav: tekst(kilde, 'opphav'),
    opprettetTidspunkt: oslotid(kilde, 'opprettetTidspunkt'),
    annullertTidspunkt: instant(kilde, 'annullertTidspunkt'),
    feilregistrert: boolsk(kilde, 'feilregistrert'),
    sistEndret: instant(kilde, 'sistEndret') ?? parker('UGYLDIG_FELT', 'sistEndret', 'is missing'),
  };
}

function tekst(kilde: Kilde, felt: string): string | null {
  const verdi = kilde[felt] ?? null;
  if (verdi === null) return null;
  if (typeof verdi !== 'string') return parker('UGYLDIG_FELT', felt, 'must be text or null');
  // A lone surrogate has no UTF-8 form: it would be stored as another character than was sent.
  if (!verdi.isWellFormed()) return parker('UGYLDIG_FELT', felt, 'contains a lone surrogate');
  return verdi;
}

function tall(kilde: Kilde, felt: string): number | null {
  const verdi = kilde[felt] ?? null;
  if (verdi === null) return null;
  // JSON.parse reads 1e999 as Infinity.
  if (typeof verdi !== 'number' || !Number.isFinite(verdi)) parker('UGYLDIG_FELT', felt, 'must be a number or null');
  return verdi;
}

function heltall(kilde: Kilde, felt: string): number | null {
  const verdi = tall(kilde, felt);
  if (verdi === null) return null;
  if (verdi !== (verdi | 0)) parker('UGYLDIG_FELT', felt, 'must be a whole number of 32 bits or null');
  return verdi;
}

function boolsk(kilde: Kilde, felt: string): boolean {
  const verdi = kilde[felt] ?? false;
  if (typeof verdi !== 'boolean') parker('UGYLDIG_FELT', felt, 'must be true, false or null');
  return verdi;
}

function dato(kilde: Kilde, felt: string): string | null {
  const verdi = tekst(kilde, felt);
  if (verdi === null) return null;
  return lesDato(verdi) ?? parker('UGYLDIG_FELT', felt, 'must be an existing date, YYYY-MM-DD, or null');
}

function oslotid(kilde: Kilde, felt: string): string | null {
  const verdi = tekst(kilde, felt);
  if (verdi === null) return null;
  return lesOslotid(verdi) ?? parker('UGYLDIG_FELT', felt, 'must be a local time, YYYY-MM-DDTHH:mm:ss[.f], or null');
}

function instant(kilde: Kilde, felt: string): string | null {
  const verdi = tekst(kilde, felt);
  if (verdi === null) return null;
  return lesInstant(verdi) ?? parker('UGYLDIG_FELT', felt, 'must be a time with offset, YYYY-MM-DDTHH:mm:ss[.f]Z');
}
