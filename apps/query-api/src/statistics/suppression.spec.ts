import fc from 'fast-check';
import { suppressSmall, type Cell, type Table } from './suppression.ts';

const groups = (count: number[]): Cell[] => count.map((n, i) => ({ verdi: `G${String(i)}`, antall: n }));
const hide = (count: number[], max = 100): Table => suppressSmall(groups(count), max);
const shown = (count: number[], max?: number): [(string | null)[], number | null] => {
  const { celler: cells, ovrige: others } = hide(count, max);
  return [cells.map(({ verdi: value }) => value), others];
};

test.each<[string, number[], [(string | null)[], number | null]]>([
  ['nothing small: all is shown', [5, 9], [['G1', 'G0'], 0]],
  ['three small ones with room for other sizes', [9, 3, 2, 3], [['G0'], 8]],
  ['one small one takes the next along', [9, 6, 2], [['G0'], 8]],
  ['two that only can be one and four take the next along', [9, 6, 1, 4], [['G0'], 11]],
  ['the next but one goes along when it is as large', [6, 6, 4, 20], [['G3'], 16]],
  ['nothing is left to take along', [7, 2], [[], 9]],
  ['fewer than five in all', [1, 2], [[], null]],
  ['one small group in all', [3], [[], null]],
  ['nothing at all', [0, 0], [[], 0]],
])('%s', (_, count, expected) => {
  expect(shown(count)).toEqual(expected);
});

test('those beyond the most that are shown are among the others', () => {
  expect(shown([20, 9, 7, 6], 2)).toEqual([['G0', 'G1'], 13]);
  expect(shown([20, 9, 8], 2)).toEqual([['G0'], 17]);
});

/** Everything that could have been there: up to `k` groups of 0 to `til`. */
function all(k: number, to: number): number[][] {
  if (k === 0) return [[]];
  return all(k - 1, to).flatMap((rest) => Array.from({ length: to + 1 }, (_, n) => [...rest, n]));
}

/**
 * The strongest reader: knows every group there can be, how this works, and the total of all. For each answer, the data
 * that gives that answer must leave at least two possible sizes of every small group.
 */
test.each([
  [2, 14],
  [3, 11],
  [4, 9],
  [5, 6],
])('no small group can be worked out, of %d groups', (k, to) => {
  const perAnswer = new Map<string, number[][]>();
  for (const count of all(k, to)) {
    const total = count.reduce((a, b) => a + b, 0);
    // A total under five is not told by any table.
    const response = JSON.stringify([hide(count), total < 5 ? null : total]);
    perAnswer.set(response, [...(perAnswer.get(response) ?? []), count]);
  }
  const called: number[][] = [];
  for (const possible of perAnswer.values()) {
    for (let group = 0; group < k; group++) {
      const sizes = new Set(possible.map((count) => count[group]));
      const [only = 0] = sizes;
      if (sizes.size === 1 && only > 0 && only < 5) called.push(possible[0] ?? []);
    }
  }
  expect(perAnswer.size).toBeGreaterThan(10);
  expect(called).toEqual([]);
});

test('nothing is lost or made up: shown and others are the total', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 12 }), fc.integer({ min: 1, max: 12 }), (count, max) => {
      const { celler: cells, ovrige: others } = hide(count, max);
      const total = count.reduce((a, b) => a + b, 0);
      const shownSum = cells.reduce((sum, cell) => sum + cell.antall, 0);
      expect(cells.every((cell) => cell.antall >= 5)).toBe(true);
      if (others === null) expect([shownSum, total < 5]).toEqual([0, true]);
      else expect(shownSum + others).toBe(total);
    }),
  );
});
