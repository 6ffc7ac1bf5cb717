/** What avtaler can be divided by, in the order in which a table names them. */
export const DIMENSIONS = ['TILTAKSTYPE', 'STATUS', 'BEDRIFT', 'MAANED', 'FASE'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** A division of all avtaler into groups. */
export interface Division {
  dimensions: readonly Dimension[];
  /** those with one dimension fewer: what its lines add up to, by which one is missing */
  parents: readonly Division[];
}

/**
 * Every division of which figures are told: by up to two dimensions, and by phase beside them, which is what `faser`
 * selects by. A division comes after its parents. Employers by month are not told: nearly all such groups are small.
 */
export const DIVISIONS: readonly Division[] = divisions();

/** As it is stored. */
export function nameOf({ dimensions }: Division): string {
  return dimensions.join(',');
}

export function looksAtPhase({ dimensions }: Division): boolean {
  return dimensions.includes('FASE');
}

function divisions(): Division[] {
  const byName = new Map<string, Division>();
  const subsets = DIMENSIONS.reduce<Dimension[][]>((all, next) => [...all, ...all.map((one) => [...one, next])], [[]]);
  for (const dimensions of subsets.toSorted((a, b) => a.length - b.length)) {
    if (dimensions.filter((name) => name !== 'FASE').length > 2) continue;
    if (dimensions.includes('BEDRIFT') && dimensions.includes('MAANED')) continue;
    const parents = dimensions.flatMap((missing) => {
      const parent = byName.get(dimensions.filter((name) => name !== missing).join(','));
      return parent ? [parent] : [];
    });
    byName.set(dimensions.join(','), { dimensions, parents });
  }
  return [...byName.values()];
}
