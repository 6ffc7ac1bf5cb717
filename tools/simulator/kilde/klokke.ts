import type { Tilfeldig } from './tilfeldig.ts';

export const DOEGN = 86_400;
const TIME = 3_600;

/**
 * A moment with the source's precision. As JSON either an `Instant`, in UTC, or (`lokal`) a `LocalDateTime`: Oslo's wall
 * clock without offset.
 */
export class Tidspunkt {
  /** whole seconds since 1970, UTC */
  readonly sekunder: number;
  /** 0–999,999,999 */
  readonly nano: number;
  readonly lokal: boolean;

  constructor(sekunder: number, nano: number, lokal = false) {
    this.sekunder = sekunder;
    this.nano = nano;
    this.lokal = lokal;
  }

  somLokal(): Tidspunkt {
    return new Tidspunkt(this.sekunder, this.nano, true);
  }

  /** As Postgres keeps it: microseconds, rounded half up. */
  avrundet(): Tidspunkt {
    if (this.nano % 1_000 === 0) return this;
    const mikro = Math.floor((this.nano + 500) / 1_000);
    return new Tidspunkt(this.sekunder + Math.floor(mikro / 1_000_000), (mikro % 1_000_000) * 1_000, this.lokal);
  }

  /** Java writes the fraction of an `Instant` in groups of three digits, that of a `LocalDateTime` without its last zeros. */
  toJSON(): string {
    const broek = String(this.nano).padStart(9, '0');
    if (!this.lokal) return `${isoSekund(this.sekunder)}${medPunktum(broek.replace(/(?:000)+$/, ''))}Z`;
    return isoSekund(this.sekunder + forspraang(this.sekunder)) + medPunktum(broek.replace(/0+$/, ''));
  }
}

const isoSekund = (sekunder: number): string => new Date(sekunder * 1_000).toISOString().slice(0, 19);
const medPunktum = (broek: string): string => (broek ? `.${broek}` : '');

/** Nanoseconds with as many digits as it happens: none to nine. */
export function tilfeldigNano(tilfeldig: Tilfeldig): number {
  const siffer = tilfeldig.sjanse(0.7) ? 9 : tilfeldig.tall(0, 8);
  return tilfeldig.tall(0, 10 ** siffer - 1) * 10 ** (9 - siffer);
}

/** The calendar day in Oslo, counted from 1970-01-01. */
export type Dag = number;

/** `dato`: YYYY-MM-DD */
export function dagnummer(dato: string): Dag {
  return Date.parse(dato) / (DOEGN * 1_000);
}

export function datotekst(dag: Dag): string {
  return isoSekund(dag * DOEGN).slice(0, 10);
}

/** Seconds since 1970 at the beginning of the day in Oslo. Clocks never change at midnight. */
export function midnatt(dag: Dag): number {
  const veggtid = dag * DOEGN;
  return veggtid - forspraang(veggtid - TIME);
}

export function erKlokkeskifte(dag: Dag): boolean {
  return midnatt(dag + 1) - midnatt(dag) !== DOEGN;
}

/** Saturday or Sunday. */
export function erHelg(dag: Dag): boolean {
  return [0, 6].includes(new Date(dag * DOEGN * 1_000).getUTCDay());
}

/** Seconds that Oslo's clocks are ahead of UTC, by the rule in force since 1996. */
function forspraang(sekunder: number): number {
  const aar = new Date(sekunder * 1_000).getUTCFullYear();
  const { vaar, hoest } = sommertid(aar);
  return sekunder >= vaar && sekunder < hoest ? 2 * TIME : TIME;
}

const kjente = new Map<number, { vaar: number; hoest: number }>();

/** Summer time lasts from the last Sunday of March to the last of October, 01:00 UTC. */
function sommertid(aar: number): { vaar: number; hoest: number } {
  let svar = kjente.get(aar);
  if (!svar) kjente.set(aar, (svar = { vaar: sisteSoendag(aar, 3) + TIME, hoest: sisteSoendag(aar, 10) + TIME }));
  return svar;
}

export function sisteSoendag(aar: number, maaned: number): number {
  const sisteDag = new Date(Date.UTC(aar, maaned, 0));
  return sisteDag.getTime() / 1_000 - sisteDag.getUTCDay() * DOEGN;
}
