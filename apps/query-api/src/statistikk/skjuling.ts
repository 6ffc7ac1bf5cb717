/** A group and how many there are in it. */
export interface Celle {
  verdi: string | null;
  antall: number;
}

export interface Tabell {
  /** each at least `MINST`, the largest first */
  celler: Celle[];
  /** of all the groups that are not shown, together; null when even that would tell too much */
  ovrige: number | null;
}

/** Fewer than this are never told of. */
const MINST = 5;

/**
 * Leaves out every group smaller than `MINST`, and as many more of the smallest as it takes. What is left out is told of
 * as one sum and nothing else, so it makes no difference that totals can be had from elsewhere.
 *
 * @param grupper of one partition of the avtaler: each belongs to one group
 * @param maks how many groups to show at most
 */
export function skjulSmaa(grupper: readonly Celle[], maks: number): Tabell {
  const etterAntall = grupper
    .filter(({ antall }) => antall > 0)
    .sort((a, b) => b.antall - a.antall || ((a.verdi ?? '') < (b.verdi ?? '') ? -1 : 1));
  const smaa = etterAntall.findIndex(({ antall }) => antall < MINST);
  let vist = Math.min(smaa < 0 ? etterAntall.length : smaa, maks);
  while (vist > 0 && vist < etterAntall.length && !kanSkjules(etterAntall, vist)) vist--;
  const skjult = etterAntall.slice(vist);
  const ovrige = sum(skjult);
  return { celler: etterAntall.slice(0, vist), ovrige: skjult.length === 0 || ovrige >= MINST ? ovrige : null };
}

/**
 * Whether the sum of those hidden leaves the size of each of them open, also to a reader who knows the smallest one
 * shown, and how many are hidden. Either there is room between the least and the most that so many small ones can be
 * together; or one of them is not small, and could be one larger without being shown.
 */
function kanSkjules(etterAntall: readonly Celle[], vist: number): boolean {
  const skjult = etterAntall.slice(vist);
  const n = skjult.length;
  const total = sum(skjult);
  if (n < 2 || total < MINST) return false;
  if (n + MINST <= total + 1 && total <= (MINST - 1) * (n - 1)) return true;
  const [minsteVist, stoersteSkjult] = [etterAntall[vist - 1]?.antall ?? 0, skjult[0]?.antall ?? 0];
  return stoersteSkjult >= MINST && minsteVist >= stoersteSkjult + 2;
}

function sum(celler: readonly Celle[]): number {
  return celler.reduce((total, { antall }) => total + antall, 0);
}
