import type { Avtale, Instant } from './avtale.ts';
import type { Melding } from './melding.ts';

/** Where on the topic a message lies. Offsets are int64 in Kafka; a number is exact to 2^53. */
export interface Plass {
  partisjon: number;
  offset: number;
}

/** What is known about an avtale, as far as ordering, visibility and change are concerned. */
export interface Tilstand {
  /** null only under a tombstone for an avtale that was never seen */
  sistEndret: Instant | null;
  /** of the message that decided the state */
  plass: Plass;
  slettet: 'SLETTEMERKET' | 'GRAVSTEIN' | null;
  feilregistrert: boolean;
  /** fingerprint of the content, see `Innhold`; null for a deleted avtale */
  avtrykk: string | null;
}

/**
 * The ordering rule (rules 2 and 3 of the source contract): does `ny` replace what is known?
 *
 * Newer `sistEndret` wins, equal goes to the later place, older loses. A tombstone beats everything before it, and
 * after one only content newer than what it deleted counts. Places in different partitions – an avtale moves when the
 * partition count changes – are ordered by partition, so that every order of arrival ends in the same state. A tombstone
 * of a full sync spares what came after the sync had begun (`foer`).
 */
export function vinner(ny: Melding, plass: Plass, kjent: Tilstand | undefined): boolean {
  if (!kjent) return true;
  const erSenere = sammenlignPlass(plass, kjent.plass) > 0;
  if (ny.type === 'GRAVSTEIN')
    return erSenere && (ny.foer === undefined || liggerFoer(kjent.plass, plass.partisjon, ny.foer));

  const sistEndret = sistEndretI(ny);
  const erNyere = kjent.sistEndret === null || sistEndret > kjent.sistEndret;
  if (kjent.slettet === 'GRAVSTEIN') return erSenere && erNyere;
  return erNyere || (sistEndret === kjent.sistEndret && erSenere);
}

/** One line of the change feed. A reader needs to know that it must read again, or that it must forget. */
export interface Endring {
  avtaleId: string;
  type: 'ENDRET' | 'SLETTET';
  aarsak: 'SLETTET' | 'FEILREGISTRERT' | null;
}

/** The content of an avtale in the form that a store wants it. */
export interface Innhold {
  /** equal for equal content, whatever process computes it */
  avtrykk: string;
}

export interface Versjon<I extends Innhold> {
  innhold: I;
  plass: Plass;
}

/** What a sequence of messages about one avtale comes to. */
export interface Fold<I extends Innhold> {
  avtaleId: string;
  /** undefined when no message won: nothing to store */
  tilstand: Tilstand | undefined;
  /** the content in force; undefined when deleted, or when no message won */
  innhold: I | undefined;
  /** the history this sequence adds, oldest first; nothing from before an erasure */
  versjoner: Versjon<I>[];
  /** the history stored before this sequence must go */
  slettHistorikk: boolean;
  endringer: Endring[];
  /** messages by what became of them */
  utfall: Record<Utfall, number>;
}

export type Utfall = 'TATT_INN' | 'UENDRET' | 'FORELDET' | 'SLETTET';

export interface PlassertMelding {
  melding: Melding;
  plass: Plass;
}

/**
 * Plays the messages for one avtale, in the order given, onto what is known about it. Playing them in one go or in
 * several gives the same, and playing them again gives nothing.
 */
export function spillAv<I extends Innhold>(
  avtaleId: string,
  kjent: Tilstand | undefined,
  meldinger: readonly PlassertMelding[],
  kod: (avtale: Avtale) => I,
): Fold<I> {
  const fold: Fold<I> = {
    avtaleId,
    tilstand: undefined,
    innhold: undefined,
    versjoner: [],
    slettHistorikk: false,
    endringer: [],
    utfall: { TATT_INN: 0, UENDRET: 0, FORELDET: 0, SLETTET: 0 },
  };
  let naa = kjent;
  for (const { melding, plass } of meldinger) {
    if (!vinner(melding, plass, naa)) {
      fold.utfall.FORELDET++;
      continue;
    }
    naa = melding.type === 'AVTALE' ? taInn(fold, naa, melding.avtale, plass, kod) : slett(fold, naa, melding, plass);
    fold.tilstand = naa;
  }
  return fold;
}

function taInn<I extends Innhold>(
  fold: Fold<I>,
  naa: Tilstand | undefined,
  avtale: Avtale,
  plass: Plass,
  kod: (avtale: Avtale) => I,
): Tilstand {
  const { avtaleId, sistEndret, feilregistrert } = avtale;
  const innhold = kod(avtale);
  fold.innhold = innhold;
  // The source sends one save as several equal messages: only what differs is a version and a change.
  const erEndret = innhold.avtrykk !== naa?.avtrykk;
  fold.utfall[erEndret ? 'TATT_INN' : 'UENDRET']++;
  if (erEndret) {
    fold.versjoner.push({ innhold, plass });
    const endring = endringVed(avtaleId, erSynlig(naa), feilregistrert);
    if (endring) fold.endringer.push(endring);
  }
  return { sistEndret, plass, slettet: null, feilregistrert, avtrykk: innhold.avtrykk };
}

function endringVed(avtaleId: string, varSynlig: boolean, feilregistrert: boolean): Endring | undefined {
  if (!feilregistrert) return { avtaleId, type: 'ENDRET', aarsak: null };
  return varSynlig ? { avtaleId, type: 'SLETTET', aarsak: 'FEILREGISTRERT' } : undefined;
}

function slett(
  fold: Fold<Innhold>,
  naa: Tilstand | undefined,
  melding: Exclude<Melding, { type: 'AVTALE' }>,
  plass: Plass,
): Tilstand {
  if (erSynlig(naa)) fold.endringer.push({ avtaleId: melding.avtaleId, type: 'SLETTET', aarsak: 'SLETTET' });
  fold.slettHistorikk = true;
  fold.versjoner = [];
  fold.innhold = undefined;
  fold.utfall.SLETTET++;
  const gravstein = melding.type === 'GRAVSTEIN';
  return {
    sistEndret: gravstein ? (naa?.sistEndret ?? null) : melding.sistEndret,
    plass,
    slettet: gravstein ? 'GRAVSTEIN' : 'SLETTEMERKET',
    feilregistrert: false,
    avtrykk: null,
  };
}

function erSynlig(tilstand: Tilstand | undefined): boolean {
  return tilstand !== undefined && tilstand.slettet === null && !tilstand.feilregistrert;
}

function sistEndretI(melding: Exclude<Melding, { type: 'GRAVSTEIN' }>): Instant {
  return melding.type === 'AVTALE' ? melding.avtale.sistEndret : melding.sistEndret;
}

function liggerFoer(kjent: Plass, partisjon: number, offset: number): boolean {
  return kjent.partisjon === partisjon && kjent.offset < offset;
}

/** Negative, zero or positive, by partition and then offset. */
export function sammenlignPlass(a: Plass, b: Plass): number {
  return a.partisjon - b.partisjon || a.offset - b.offset;
}
