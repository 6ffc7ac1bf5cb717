/** A group and how many there are in it. */
export interface Cell {
  verdi: string | null;
  antall: number;
}

export interface Table {
  /** each at least `MIN_CELL`, the largest first */
  celler: Cell[];
  /** of all the groups that are not shown, together; null when even that would tell too much */
  ovrige: number | null;
}

/** Fewer than this are never told of. */
const MIN_CELL = 5;

/**
 * Leaves out every group smaller than `MIN_CELL`, and as many more of the smallest as it takes. What is left out is told of
 * as one sum and nothing else, so it makes no difference that totals can be had from elsewhere.
 *
 * @param groups of one partition of the avtaler: each belongs to one group
 * @param max how many groups to show at most
 */
export function suppressSmall(groups: readonly Cell[], max: number): Table {
  const bySize = groups
    .filter(({ antall: count }) => count > 0)
    .sort((a, b) => b.antall - a.antall || ((a.verdi ?? '') < (b.verdi ?? '') ? -1 : 1));
  const small = bySize.findIndex(({ antall: count }) => count < MIN_CELL);
  let shown = Math.min(small < 0 ? bySize.length : small, max);
  while (shown > 0 && shown < bySize.length && !canBeHidden(bySize, shown)) shown--;
  const hidden = bySize.slice(shown);
  const hiddenTotal = sum(hidden);
  return {
    celler: bySize.slice(0, shown),
    ovrige: hidden.length === 0 || hiddenTotal >= MIN_CELL ? hiddenTotal : null,
  };
}

/**
 * Whether the sum of those hidden leaves the size of each of them open, also to a reader who knows the smallest one
 * shown, and how many are hidden. Either there is room between the least and the most that so many small ones can be
 * together; or one of them is not small, and could be one larger without being shown.
 */
function canBeHidden(bySize: readonly Cell[], shown: number): boolean {
  const hidden = bySize.slice(shown);
  const n = hidden.length;
  const total = sum(hidden);
  if (n < 2 || total < MIN_CELL) return false;
  if (n + MIN_CELL <= total + 1 && total <= (MIN_CELL - 1) * (n - 1)) return true;
  const [leastShown, largestHidden] = [bySize[shown - 1]?.antall ?? 0, hidden[0]?.antall ?? 0];
  return largestHidden >= MIN_CELL && leastShown >= largestHidden + 2;
}

function sum(cells: readonly Cell[]): number {
  return cells.reduce((total, { antall: count }) => total + count, 0);
}
