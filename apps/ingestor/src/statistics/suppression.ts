/** A group of fewer than this is never told of, and a figure stays until the true one is this far from it. */
export const LIMIT = 5;

/**
 * Whether the sum of those hidden in a line leaves the size of each of them open, also to a reader who knows the smallest
 * one shown, and how many are hidden. Either there is room between the least and the most that so many small ones can be
 * together; or one of them is not small, and could be one larger without being shown.
 *
 * @param hidden sizes, none of them 0
 * @param leastShown the smallest one shown
 */
export function canBeHidden(hidden: readonly number[], leastShown: number): boolean {
  const n = hidden.length;
  const total = hidden.reduce((sum, size) => sum + size, 0);
  if (n === 0) return true;
  if (n < 2 || total < LIMIT) return false;
  if (n + LIMIT <= total + 1 && total <= (LIMIT - 1) * (n - 1)) return true;
  const largest = hidden.reduce((most, size) => Math.max(most, size), 0);
  // One that is larger than the smallest shown is hidden for another line's sake, which tells nothing of its size.
  return largest >= LIMIT && (leastShown >= largest + 2 || leastShown < largest);
}
