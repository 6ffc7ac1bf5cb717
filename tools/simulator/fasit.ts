import { isUtf8 } from 'node:buffer';

/**
 * What the source's messages come to, computed from the source contract alone. Written to be obvious, not fast, and with
 * nothing of the ingestor's code: it is what the ingestor is compared with.
 */

export interface PlassertKildemelding {
  nokkel: string | Buffer | null;
  verdi: string | Buffer | null;
  partisjon: number;
  offset: number;
}

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

export interface Forventet {
  /** wrongly registered ones too, which consumers do not see */
  avtaler: Map<string, ForventetAvtale>;
  /** what was deleted, with the `sistEndret` that a message must be newer than; null when unknown */
  slettet: Map<string, string | null>;
  /** `felt` is the source's name; 'key' for the key, null for the message as a whole */
  parkert: { partisjon: number; offset: number; felt: string | null }[];
}

interface Gjeldende {
  avtale: ForventetAvtale | undefined;
  sistEndret: string | null;
  gravstein: boolean;
  partisjon: number;
  offset: number;
}

/** In the order of arrival. */
export function forventet(meldinger: Iterable<PlassertKildemelding>): Forventet {
  const gjeldende = new Map<string, Gjeldende>();
  const parkert: Forventet['parkert'] = [];
  for (const { nokkel, verdi, partisjon, offset } of meldinger) {
    try {
      const { avtaleId, ...ny } = les(nokkel, verdi);
      const kjent = gjeldende.get(avtaleId);
      const senere = !kjent || partisjon > kjent.partisjon || (partisjon === kjent.partisjon && offset > kjent.offset);
      if (ny.sistEndret === null) {
        // A tombstone beats everything before it; it deletes what was known, whose sistEndret must be remembered.
        if (senere)
          gjeldende.set(avtaleId, { ...ny, sistEndret: kjent?.sistEndret ?? null, gravstein: true, partisjon, offset });
        continue;
      }
      const nyere = !kjent || kjent.sistEndret === null || ny.sistEndret > kjent.sistEndret;
      const like = kjent?.sistEndret === ny.sistEndret;
      const gjelder = kjent?.gravstein ? senere && nyere : nyere || (like && senere);
      if (gjelder) gjeldende.set(avtaleId, { ...ny, gravstein: false, partisjon, offset });
    } catch (feil) {
      if (!(feil instanceof Ubrukelig)) throw feil;
      parkert.push({ partisjon, offset, felt: feil.felt });
    }
  }
  const avtaler: Forventet['avtaler'] = new Map();
  const slettet: Forventet['slettet'] = new Map();
  for (const [avtaleId, { avtale, sistEndret }] of gjeldende) {
    if (avtale) avtaler.set(avtaleId, avtale);
    else slettet.set(avtaleId, sistEndret);
  }
  return { avtaler, slettet, parkert };
}

class Ubrukelig extends Error {
  readonly felt: string | null;
  constructor(felt: string | null) {
    super(`parked: ${felt ?? 'the message'}`);
    this.felt = felt;
  }
}

interface Lest {
  avtaleId: string;
  /** undefined: deleted */
  avtale: ForventetAvtale | undefined;
  /** null: a tombstone */
  sistEndret: string | null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function les(nokkel: string | Buffer | null, verdi: string | Buffer | null): Lest {
  const key = nokkel === null ? null : tekstAv(nokkel, 'key');
  if (verdi === null) {
    if (key === null || !UUID.test(key)) throw new Ubrukelig('key');
    return { avtaleId: key.toLowerCase(), avtale: undefined, sistEndret: null };
  }
  const m = jsonAv(tekstAv(verdi, null));
  if (typeof m['avtaleId'] !== 'string' || !UUID.test(m['avtaleId'])) throw new Ubrukelig('avtaleId');
  const avtaleId = m['avtaleId'].toLowerCase();
  if (key?.toLowerCase() !== avtaleId) throw new Ubrukelig('key');
  const avtale = avtaleAv(m, avtaleId);
  const erSlettet = sannhet(m, 'slettemerket') || m['hendelseType'] === 'AVTALE_SLETTET';
  return { avtaleId, avtale: erSlettet ? undefined : avtale, sistEndret: avtale.sistEndret };
}

function avtaleAv(m: Record<string, unknown>, avtaleId: string): ForventetAvtale {
  const erMentor = m['tiltakstype'] === 'MENTOR';
  return {
    avtaleId,
    avtaleNr: heltall(m, 'avtaleNr'),
    deltakerFnr: tekst(m, 'deltakerFnr'),
    bedriftNr: tekst(m, 'bedriftNr'),
    bedriftNavn: tekst(m, 'bedriftNavn'),
    veilederNavIdent: tekst(m, 'veilederNavIdent'),
    tiltakstype: tekst(m, 'tiltakstype'),
    versjon: heltall(m, 'versjon'),
    avtaleStatus: tekst(m, 'avtaleStatus'),
    avtaleInngaatt: oslotid(m, 'avtaleInngått'),
    startDato: dato(m, 'startDato'),
    sluttDato: dato(m, 'sluttDato'),
    stillingprosent: erMentor ? (tall(m, 'stillingprosent'), null) : tall(m, 'stillingprosent'),
    antallDagerPerUke: erMentor ? (tall(m, 'antallDagerPerUke'), null) : tall(m, 'antallDagerPerUke'),
    stillingstype: tekst(m, 'stillingstype'),
    godkjentAvDeltaker: oslotid(m, 'godkjentAvDeltaker'),
    godkjentAvArbeidsgiver: oslotid(m, 'godkjentAvArbeidsgiver'),
    godkjentAvVeileder: oslotid(m, 'godkjentAvVeileder'),
    godkjentAvBeslutter: oslotid(m, 'godkjentAvBeslutter'),
    godkjentAvNavIdent: tekst(m, 'godkjentAvNavIdent'),
    godkjentAvBeslutterNavIdent: tekst(m, 'godkjentAvBeslutterNavIdent'),
    godkjentPaaVegneAv: sannhet(m, 'godkjentPaVegneAv'),
    godkjentPaaVegneAvArbeidsgiver: sannhet(m, 'godkjentPaVegneAvArbeidsgiver'),
    opphav: tekst(m, 'opphav'),
    opprettetTidspunkt: oslotid(m, 'opprettetTidspunkt'),
    annullertTidspunkt: utctid(m, 'annullertTidspunkt'),
    feilregistrert: sannhet(m, 'feilregistrert'),
    sistEndret: utctid(m, 'sistEndret') ?? ubrukelig('sistEndret'),
  };
}

function ubrukelig(felt: string | null): never {
  throw new Ubrukelig(felt);
}

function tekstAv(bytes: string | Buffer, felt: string | null): string {
  if (typeof bytes === 'string') return bytes;
  return isUtf8(bytes) ? bytes.toString('utf8') : ubrukelig(felt);
}

function jsonAv(tekst: string): Record<string, unknown> {
  let verdi: unknown;
  try {
    verdi = JSON.parse(tekst, (navn, del: unknown) =>
      typeof del === 'string' && del.includes('\0') ? new MedNull(navn) : del,
    );
  } catch {
    return ubrukelig(null);
  }
  if (typeof verdi !== 'object' || verdi === null || Array.isArray(verdi)) return ubrukelig(null);
  const medNull = Object.entries(verdi).find(([, del]) => del instanceof MedNull);
  return medNull ? ubrukelig(medNull[0]) : (verdi as Record<string, unknown>);
}

/** Stands for a text with U+0000 in it. */
class MedNull {
  readonly navn: string;
  constructor(navn: string) {
    this.navn = navn;
  }
}

function tekst(m: Record<string, unknown>, felt: string): string | null {
  const verdi = m[felt] ?? null;
  return verdi === null || typeof verdi === 'string' ? verdi : ubrukelig(felt);
}

function tall(m: Record<string, unknown>, felt: string): number | null {
  const verdi = m[felt] ?? null;
  return verdi === null || typeof verdi === 'number' ? verdi : ubrukelig(felt);
}

function heltall(m: Record<string, unknown>, felt: string): number | null {
  const verdi = tall(m, felt);
  return verdi === null || (Number.isInteger(verdi) && Math.abs(verdi) < 2 ** 31) ? verdi : ubrukelig(felt);
}

function sannhet(m: Record<string, unknown>, felt: string): boolean {
  const verdi = m[felt] ?? false;
  return typeof verdi === 'boolean' ? verdi : ubrukelig(felt);
}

function dato(m: Record<string, unknown>, felt: string): string | null {
  const verdi = tekst(m, felt);
  if (verdi === null) return null;
  const finnes = /^\d{4}-\d\d-\d\d$/.test(verdi) && new Date(`${verdi}T00:00:00Z`).toJSON()?.startsWith(verdi);
  return finnes ? verdi : ubrukelig(felt);
}

/** Seconds since 1970, and whole microseconds rounded half up. */
function medMikro(sekunder: number, broek: string): string {
  const nano = BigInt(broek.padEnd(9, '0'));
  const mikro = BigInt(sekunder) * 1_000_000n + (nano + 500n) / 1_000n;
  const hele = new Date(Number(mikro / 1_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${hele}.${String(mikro % 1_000_000n).padStart(6, '0')}Z`;
}

function utctid(m: Record<string, unknown>, felt: string): string | null {
  const verdi = tekst(m, felt);
  if (verdi === null) return null;
  const [, hele, broek = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(verdi) ?? ubrukelig(felt);
  const ms = Date.parse(`${String(hele)}Z`);
  const finnes = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(String(hele));
  return finnes ? medMikro(ms / 1000, broek) : ubrukelig(felt);
}

const veggur = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'medium' });

/** Tries both of Oslo's offsets, summer time first: so the first of two equal hours. A missing hour fits neither. */
function oslotid(m: Record<string, unknown>, felt: string): string | null {
  const verdi = tekst(m, felt);
  if (verdi === null) return null;
  const [, hele, broek = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?$/.exec(verdi) ?? ubrukelig(felt);
  const sommer = Date.parse(`${String(hele)}+02:00`);
  const vinter = Date.parse(`${String(hele)}+01:00`);
  if (Number.isNaN(sommer)) return ubrukelig(felt);
  const passer = [sommer, vinter].find((ms) => veggur.format(ms).replace(' ', 'T') === hele);
  // The hour that doesn't exist is moved forward: read with the offset from before it.
  return medMikro((passer ?? vinter) / 1000, broek);
}
