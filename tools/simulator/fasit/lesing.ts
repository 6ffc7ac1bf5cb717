import { isUtf8 } from 'node:buffer';
import { lesDato, lesInstant, lesOslotid } from './tid.ts';

/** The reduced dataset. Instants: UTC with six fraction digits. Dates: YYYY-MM-DD. Coded values as they came. */
export interface ForventetAvtale {
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
export type Utsagn =
  | { type: 'AVTALE'; avtaleId: string; sistEndret: string; avtale: ForventetAvtale }
  | { type: 'SLETTET'; avtaleId: string; sistEndret: string }
  | { type: 'GRAVSTEIN'; avtaleId: string };

/** The message is parked. `felt` is the source's name; 'key' for the key, null for the message as a whole. */
export class Ubrukelig extends Error {
  readonly felt: string | null;
  constructor(felt: string | null) {
    super(`parked: ${felt ?? 'the message'}`);
    this.felt = felt;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Rules 1, 3, 6, 8 and 9. Throws `Ubrukelig`. */
export function lesMelding(nokkel: string | Buffer | null, verdi: string | Buffer | null): Utsagn {
  const key = nokkel === null ? null : tekstAv(nokkel, 'key').toLowerCase();
  if (verdi === null) {
    if (key === null || !UUID.test(key)) throw new Ubrukelig('key');
    return { type: 'GRAVSTEIN', avtaleId: key };
  }
  const m = jsonAv(tekstAv(verdi, null));
  const avtaleId = tekst(m, 'avtaleId')?.toLowerCase() ?? '';
  if (!UUID.test(avtaleId)) throw new Ubrukelig('avtaleId');
  if (key !== avtaleId) throw new Ubrukelig('key');
  const avtale = avtaleAv(m, avtaleId);
  const { sistEndret } = avtale;
  const slettet = sannhet(m, 'slettemerket') || m['hendelseType'] === 'AVTALE_SLETTET';
  return slettet ? { type: 'SLETTET', avtaleId, sistEndret } : { type: 'AVTALE', avtaleId, sistEndret, avtale };
}

function avtaleAv(m: Melding, avtaleId: string): ForventetAvtale {
  const avtale = {
    avtaleId,
    avtaleNr: heltall(m, 'avtaleNr'),
    deltakerFnr: tekst(m, 'deltakerFnr'),
    bedriftNr: tekst(m, 'bedriftNr'),
    bedriftNavn: tekst(m, 'bedriftNavn'),
    veilederNavIdent: tekst(m, 'veilederNavIdent'),
    tiltakstype: tekst(m, 'tiltakstype'),
    versjon: heltall(m, 'versjon'),
    avtaleStatus: tekst(m, 'avtaleStatus'),
    avtaleInngaatt: tid(m, 'avtaleInngått', lesOslotid),
    startDato: tid(m, 'startDato', lesDato),
    sluttDato: tid(m, 'sluttDato', lesDato),
    stillingprosent: tall(m, 'stillingprosent'),
    antallDagerPerUke: tall(m, 'antallDagerPerUke'),
    stillingstype: tekst(m, 'stillingstype'),
    godkjentAvDeltaker: tid(m, 'godkjentAvDeltaker', lesOslotid),
    godkjentAvArbeidsgiver: tid(m, 'godkjentAvArbeidsgiver', lesOslotid),
    godkjentAvVeileder: tid(m, 'godkjentAvVeileder', lesOslotid),
    godkjentAvBeslutter: tid(m, 'godkjentAvBeslutter', lesOslotid),
    godkjentAvNavIdent: tekst(m, 'godkjentAvNavIdent'),
    godkjentAvBeslutterNavIdent: tekst(m, 'godkjentAvBeslutterNavIdent'),
    godkjentPaaVegneAv: sannhet(m, 'godkjentPaVegneAv'),
    godkjentPaaVegneAvArbeidsgiver: sannhet(m, 'godkjentPaVegneAvArbeidsgiver'),
    opphav: tekst(m, 'opphav'),
    opprettetTidspunkt: tid(m, 'opprettetTidspunkt', lesOslotid),
    annullertTidspunkt: tid(m, 'annullertTidspunkt', lesInstant),
    feilregistrert: sannhet(m, 'feilregistrert'),
    sistEndret: tid(m, 'sistEndret', lesInstant) ?? ubrukelig('sistEndret'),
  };
  // Of a mentor's avtale they describe the mentor's position.
  return avtale.tiltakstype === 'MENTOR' ? { ...avtale, stillingprosent: null, antallDagerPerUke: null } : avtale;
}

type Melding = Record<string, unknown>;

function ubrukelig(felt: string | null): never {
  throw new Ubrukelig(felt);
}

function tekstAv(bytes: string | Buffer, felt: string | null): string {
  if (typeof bytes === 'string') return bytes;
  return isUtf8(bytes) ? bytes.toString('utf8') : ubrukelig(felt);
}

function jsonAv(json: string): Melding {
  let verdi: unknown;
  try {
    verdi = JSON.parse(json);
  } catch {
    return ubrukelig(null);
  }
  if (typeof verdi !== 'object' || verdi === null || Array.isArray(verdi)) return ubrukelig(null);
  const medNull = Object.entries(verdi).find(([, del]) => harNull(del));
  return medNull ? ubrukelig(medNull[0]) : (verdi as Melding);
}

/** A text with U+0000 in it, at any depth. */
function harNull(verdi: unknown): boolean {
  if (typeof verdi === 'string') return verdi.includes('\0');
  return typeof verdi === 'object' && verdi !== null && Object.values(verdi).some(harNull);
}

/** Half of a surrogate pair is no character: it has no UTF-8 form. */
function tekst(m: Melding, felt: string): string | null {
  const verdi = m[felt] ?? null;
  if (verdi === null) return null;
  return typeof verdi === 'string' && verdi.isWellFormed() ? verdi : ubrukelig(felt);
}

/** JSON can write numbers that are too large to be read. */
function tall(m: Melding, felt: string): number | null {
  const verdi = m[felt] ?? null;
  if (verdi === null) return null;
  return typeof verdi === 'number' && Number.isFinite(verdi) ? verdi : ubrukelig(felt);
}

function heltall(m: Melding, felt: string): number | null {
  const verdi = tall(m, felt);
  if (verdi === null) return null;
  return Number.isInteger(verdi) && verdi >= -(2 ** 31) && verdi < 2 ** 31 ? verdi : ubrukelig(felt);
}

function sannhet(m: Melding, felt: string): boolean {
  const verdi = m[felt] ?? false;
  return typeof verdi === 'boolean' ? verdi : ubrukelig(felt);
}

function tid(m: Melding, felt: string, les: (tekst: string) => string | undefined): string | null {
  const verdi = tekst(m, felt);
  return verdi === null ? null : (les(verdi) ?? ubrukelig(felt));
}
