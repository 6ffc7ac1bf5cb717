import type { Kildemelding } from './kilde/kildemelding.ts';
import { DOEGN } from './kilde/klokke.ts';
import { Tilfeldig } from './kilde/tilfeldig.ts';
import { gift, gravstein } from './gift.ts';
import { livslop } from './livslop/livslop.ts';

export interface Valg {
  /** how many messages */
  antall: number;
  /** whole number, 32 bits of it count */
  seed?: number;
  /** also what the source never sends: messages that can't be used, and tombstones */
  gift?: boolean;
}

/**
 * Exactly `antall` messages as the source would publish them: many avtaler living at the same time, each through its
 * life. The same numbers give the same bytes. Lazy, and of constant memory.
 */
export function* lagHendelser({ antall, seed = 1, gift: medGift = false }: Valg): Generator<Kildemelding> {
  const tilfeldig = new Tilfeldig(seed + 7);
  let n = 0;
  if (antall < 1) return;
  for (const melding of livslop(seed, antall)) {
    if (medGift && n % 97 === 96) yield gift(tilfeldig, melding, Math.floor(n / 97));
    else if (medGift && n % 211 === 210) yield gravstein(melding);
    else yield melding;
    if (++n === antall) return;
  }
}

/** Longer than any avtale of a run is alive, so that what is moved by it is newer than all that was sent about it. */
const SENERE = 4 * 365 * DOEGN;
const TIDLIGERE = -400 * DOEGN;

/**
 * The avtaler of `lagHendelser` with the same numbers, changed again: seven in ten newer than anything before, the rest
 * resent to the byte, or older.
 */
export function* lagOppdateringer({ antall, seed = 1 }: Omit<Valg, 'gift'>): Generator<Kildemelding> {
  const tilfeldig = new Tilfeldig(seed + 1_000_003);
  for (const { nokkel, verdi } of lagHendelser({ antall, seed })) {
    const skjebne = tilfeldig.neste();
    const endret = (sekunder: number): string => flyttet(String(verdi), sekunder, String(tilfeldig.tall(0, 99)));
    yield { nokkel, verdi: skjebne < 0.15 ? verdi : endret(skjebne < 0.3 ? TIDLIGERE : SENERE) };
  }
}

/** The same message with another sistEndret, and another name of the employer. */
function flyttet(verdi: string, sekunder: number, merke: string): string {
  return verdi
    .replace(/"sistEndret":"([^"]{19})/, (_, tid: string) => {
      const flyttetTil = new Date(Date.parse(`${tid}Z`) + sekunder * 1_000).toISOString();
      return `"sistEndret":"${flyttetTil.slice(0, 19)}`;
    })
    .replace('"bedriftNavn":"', `"bedriftNavn":"${merke} `);
}
