/**
 * The reduced avtale: the only data about an avtale that this system keeps
 * (rule 9 of the source contract). Field names are the source's, in ASCII.
 *
 * - Instants are UTC text with exactly six fraction digits, `2026-01-31T10:00:00.123457Z`: they sort as text,
 *   keep the microseconds a `Date` would lose, and are what Postgres reads.
 * - Dates are `YYYY-MM-DD`.
 * - Enum texts stand as the source sent them, so that a value unknown today needs no rebuild tomorrow.
 */
export interface Avtale {
  avtaleId: string;
  avtaleNr: number | null;
  deltakerFnr: string | null;
  bedriftNr: string | null;
  bedriftNavn: string | null;
  veilederNavIdent: string | null;
  tiltakstype: string | null;
  versjon: number | null;
  avtaleStatus: string | null;
  avtaleInngaatt: Instant | null;
  startDato: string | null;
  sluttDato: string | null;
  stillingprosent: number | null;
  antallDagerPerUke: number | null;
  stillingstype: string | null;
  godkjentAvDeltaker: Instant | null;
  godkjentAvArbeidsgiver: Instant | null;
  godkjentAvVeileder: Instant | null;
  godkjentAvBeslutter: Instant | null;
  godkjentAvNavIdent: string | null;
  godkjentAvBeslutterNavIdent: string | null;
  godkjentPaaVegneAv: boolean;
  godkjentPaaVegneAvArbeidsgiver: boolean;
  opphav: string | null;
  opprettetTidspunkt: Instant | null;
  annullertTidspunkt: Instant | null;
  feilregistrert: boolean;
  sistEndret: Instant;
}

/** UTC, `YYYY-MM-DDTHH:mm:ss.ffffffZ`; text order is time order. */
export type Instant = string;

/** All fields of an avtale, in the order in which they are stored and shown. */
export const AVTALE_FIELDS = [
  'avtaleId',
  'avtaleNr',
  'deltakerFnr',
  'bedriftNr',
  'bedriftNavn',
  'veilederNavIdent',
  'tiltakstype',
  'versjon',
  'avtaleStatus',
  'avtaleInngaatt',
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
  'godkjentPaaVegneAv',
  'godkjentPaaVegneAvArbeidsgiver',
  'opphav',
  'opprettetTidspunkt',
  'annullertTidspunkt',
  'feilregistrert',
  'sistEndret',
] as const satisfies (keyof Avtale)[];
