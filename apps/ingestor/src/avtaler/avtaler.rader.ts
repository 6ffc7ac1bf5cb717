import { hash } from 'node:crypto';
import {
  AVTALEFELTER,
  KODEVERK,
  ledd,
  UKJENT,
  type Avtale,
  type Endring,
  type Innhold,
  type Ledd,
  type Plass,
  type Tilstand,
} from '@tiltak/avtale';
import { kolonnenavn, type DeltakerId } from '@tiltak/database';

/** The content of an avtale as COPY text, without the newline that ends a row, in the order of `INNHOLDSKOLONNER`. */
export interface KodetInnhold extends Innhold {
  kolonner: string;
  /** the coded fields whose value this release does not know */
  ukjente: string[];
  /** undefined when the avtale takes no part in relations */
  ledd: Ledd | undefined;
}

type Verdi = string | number | boolean | null;

/** The columns that hold content: the fields of an avtale, and the opaque id of the participant last. */
export const INNHOLDSKOLONNER: readonly string[] = [...AVTALEFELTER.map(kolonnenavn), 'deltaker_id'];

export function kodInnhold(avtale: Avtale, deltakerId: DeltakerId): KodetInnhold {
  const id = avtale.deltakerFnr === null ? null : deltakerId(avtale.deltakerFnr);
  const kolonner = [...AVTALEFELTER.map((navn) => felt(avtale[navn])), felt(id)].join('\t');
  return { kolonner, avtrykk: avtrykk(kolonner), ukjente: ukjenteVerdier(avtale), ledd: ledd(avtale, id) };
}

function ukjenteVerdier(avtale: Avtale): string[] {
  return KODEFELTER.filter((navn) => {
    const raa = avtale[navn];
    return raa !== null && KODEVERK[navn].fraKilde(raa) === UKJENT;
  });
}

const KODEFELTER = ['tiltakstype', 'avtaleStatus', 'stillingstype', 'opphav'] as const satisfies (keyof Avtale)[];

/** 128 bits of SHA-256, written as Postgres writes a UUID. */
function avtrykk(kolonner: string): string {
  const hex = hash('sha256', kolonner, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** A row of `avtale`; with `kjent`, followed by the place of the state it replaces. */
export function avtalerad(
  avtaleId: string,
  tilstand: Tilstand,
  innhold: KodetInnhold | undefined,
  kjent?: Tilstand,
): string {
  const { plass, slettet, avtrykk } = tilstand;
  const kolonner = [innhold?.kolonner ?? markoer(avtaleId, tilstand), felt(slettet), ...sted(plass), felt(avtrykk)];
  if (kjent) kolonner.push(...sted(kjent.plass));
  return rad(kolonner);
}

/** All that is left of a deleted avtale. */
function markoer(avtaleId: string, { sistEndret }: Tilstand): string {
  const verdier: Record<string, Verdi> = { avtale_id: avtaleId, feilregistrert: false, sist_endret: sistEndret };
  return INNHOLDSKOLONNER.map((navn) => felt(verdier[navn] ?? null)).join('\t');
}

export function versjonsrad(innhold: KodetInnhold, plass: Plass): string {
  return rad([innhold.kolonner, ...sted(plass), innhold.avtrykk]);
}

export function endringsrad({ avtaleId, type, aarsak }: Endring): string {
  return rad([avtaleId, type, felt(aarsak)]);
}

function sted(plass: Plass): string[] {
  return [String(plass.partisjon), String(plass.offset)];
}

function rad(kolonner: string[]): string {
  return kolonner.join('\t') + '\n';
}

const ESCAPE: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One column in the text format of COPY. */
function felt(verdi: Verdi): string {
  if (verdi === null) return '\\N';
  if (typeof verdi !== 'string') return String(verdi);
  return /[\\\n\r\t]/.test(verdi) ? verdi.replace(/[\\\n\r\t]/g, (tegn) => ESCAPE[tegn] ?? tegn) : verdi;
}
