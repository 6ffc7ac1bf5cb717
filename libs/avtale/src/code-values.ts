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

/** The code lists, the values published of each, and how the source spells those that differ. */
export const CODE_VALUES = {
  tiltakstype: codeValues(TILTAKSTYPER),
  avtaleStatus: codeValues(AVTALESTATUSER, { PAABEGYNT: 'PÅBEGYNT', GJENNOMFORES: 'GJENNOMFØRES' }),
  stillingstype: codeValues(STILLINGSTYPER),
  opphav: codeValues(OPPHAV),
} as const;

export interface CodeValues<T extends string> {
  /** The published value for a text from the source; `UKJENT` for one not known. */
  fromSource: (raw: string) => T;
  /** The source's text for a published value. `UKJENT` has none: see `known`. */
  toSource: (value: T) => string;
  /** The source's texts for all known values; what is in none of them is `UKJENT`. */
  known: readonly string[];
}

function codeValues<const T extends readonly string[]>(
  values: T,
  sourceSpelling: Partial<Record<T[number], string>> = {},
): CodeValues<T[number]> {
  const toSource = (value: T[number]): string => sourceSpelling[value] ?? value;
  const known = values.filter((value) => value !== UKJENT);
  const published = new Map<string, T[number]>(known.map((value) => [toSource(value), value]));
  return { fromSource: (raw) => published.get(raw) ?? UKJENT, toSource, known: known.map(toSource) };
}
