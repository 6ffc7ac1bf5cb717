/** Shown for a value that the source has begun to send after this release; the raw text stays in the database. */
export const UKJENT = 'UKJENT';

export const TILTAKSTYPER = [
  'ARBEIDSTRENING',
  'MIDLERTIDIG_LONNSTILSKUDD',
  'VARIG_LONNSTILSKUDD',
  'MENTOR',
  'INKLUDERINGSTILSKUDD',
  'SOMMERJOBB',
  'VTAO',
  'FIREARIG_LONNSTILSKUDD',
  UKJENT,
] as const;

export const AVTALESTATUSER = [
  'ANNULLERT',
  'AVBRUTT',
  'PAABEGYNT',
  'MANGLER_GODKJENNING',
  'KLAR_FOR_OPPSTART',
  'GJENNOMFORES',
  'AVSLUTTET',
  UKJENT,
] as const;

export const STILLINGSTYPER = ['FAST', 'MIDLERTIDIG', UKJENT] as const;
export const OPPHAV = ['VEILEDER', 'ARBEIDSGIVER', 'ARENA', UKJENT] as const;

export type Tiltakstype = (typeof TILTAKSTYPER)[number];
export type AvtaleStatus = (typeof AVTALESTATUSER)[number];
export type Stillingstype = (typeof STILLINGSTYPER)[number];
export type Opphav = (typeof OPPHAV)[number];

/** The coded fields of an avtale, the values published for each, and how the source spells those that differ. */
export const KODEVERK = {
  tiltakstype: kodeverk(TILTAKSTYPER),
  avtaleStatus: kodeverk(AVTALESTATUSER, { PAABEGYNT: 'PÅBEGYNT', GJENNOMFORES: 'GJENNOMFØRES' }),
  stillingstype: kodeverk(STILLINGSTYPER),
  opphav: kodeverk(OPPHAV),
} as const;

export interface Kodeverk<T extends string> {
  /** The published value for a text from the source; `UKJENT` for one not known. */
  fraKilde: (raa: string) => T;
  /** The source's text for a published value. `UKJENT` has none: see `kjente`. */
  tilKilde: (verdi: T) => string;
  /** The source's texts for all known values; what is in none of them is `UKJENT`. */
  kjente: readonly string[];
}

function kodeverk<const T extends readonly string[]>(
  verdier: T,
  avvik: Partial<Record<T[number], string>> = {},
): Kodeverk<T[number]> {
  const stavet = (verdi: T[number]): string => avvik[verdi] ?? verdi;
  const kjente = verdier.filter((verdi) => verdi !== UKJENT);
  const fra = new Map<string, T[number]>(kjente.map((verdi) => [stavet(verdi), verdi]));
  return { fraKilde: (raa) => fra.get(raa) ?? UKJENT, tilKilde: stavet, kjente: kjente.map(stavet) };
}
