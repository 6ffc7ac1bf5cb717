import { AVTALEFELTER, KODEVERK, type Avtale } from '@tiltak/avtale';
import { kolonnenavn } from '@tiltak/database';

/** A field of an avtale that a consumer can be granted. */
export type Felt = Exclude<(typeof AVTALEFELTER)[number], 'feilregistrert'>;

export const FELTER: readonly Felt[] = AVTALEFELTER.filter((felt) => felt !== 'feilregistrert');

/**
 * What can be read of an avtale: its fields, the participant's opaque id, when this system learned of the content, and
 * where its links to other avtaler lead.
 */
export type Utvalg = Felt | 'deltakerId' | 'mottatt' | '_links';

/** What a whole avtale is read with. */
export const HEL_AVTALE: readonly Utvalg[] = [...FELTER, '_links'];

export type Rad = Record<string, string | number | boolean | null>;

/** `neste <avtaleId>,samtidige <avtaleId>,…`, or null: read with the avtale, a link costs no look-up of its own. */
const LENKER = 'lenker(deltaker_id, avtale_id) as relasjoner';

const kolonnelister = new WeakMap<readonly Utvalg[], string>();

/** The columns of `avtale_synlig` to read for these, and no others; the participant's opaque id goes with the ident. */
export function kolonner(felter: readonly Utvalg[]): string {
  const kjent = kolonnelister.get(felter);
  if (kjent !== undefined) return kjent;
  const kolonner = felter.flatMap((felt) => {
    if (felt === '_links') return LENKER;
    return felt === 'deltakerFnr' ? ['deltaker_fnr', 'deltaker_id'] : kolonnenavn(felt);
  });
  const liste = [...new Set(kolonner)].join(', ');
  kolonnelister.set(felter, liste);
  return liste;
}

/** Turns rows into JSON with just these fields. A coded field that the source left empty is left out. */
export function tilJson<T extends Partial<Record<Felt, unknown>>>(felter: readonly Felt[]): (rad: Rad) => T {
  const lesere = felter.map((felt) => [felt, kolonnenavn(felt), tilVerdi(felt)] as const);
  return (rad) => {
    const json: Record<string, unknown> = {};
    for (const [felt, kolonne, les] of lesere) {
      const verdi = les(rad[kolonne] ?? null);
      if (verdi !== undefined) json[felt] = verdi;
    }
    return json as T;
  };
}

/** From a column to what a consumer gets. */
type Leser = ((verdi: string | number | boolean | null) => unknown) & {
  /** few values occur */
  faaVerdier?: true;
  /** the value goes through as it is */
  uendret?: true;
};

const TIDSPUNKTER = new Set<keyof Avtale>([
  'avtaleInngaatt',
  'godkjentAvDeltaker',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'opprettetTidspunkt',
  'annullertTidspunkt',
  'sistEndret',
]);

export function tilVerdi(felt: Felt): Leser {
  if (felt in KODEVERK) {
    const kodeverk = KODEVERK[felt as keyof typeof KODEVERK];
    const kode: Leser = (verdi) => (verdi === null ? undefined : kodeverk.fraKilde(String(verdi)));
    return Object.assign(kode, { faaVerdier: true } as const);
  }
  if (TIDSPUNKTER.has(felt)) return (verdi) => verdi && tilRfc3339(String(verdi));
  return Object.assign(((verdi) => verdi) as Leser, { uendret: true } as const);
}

/** Postgres, in a UTC session, writes `2026-01-31 10:00:00.123457+00`. */
export function tilRfc3339(tekst: string): string {
  return `${tekst.slice(0, 10)}T${tekst.slice(11).replace(/\+00$/, 'Z')}`;
}
