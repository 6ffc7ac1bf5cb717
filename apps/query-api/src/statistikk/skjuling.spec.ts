import fc from 'fast-check';
import { skjulSmaa, type Celle, type Tabell } from './skjuling.ts';

const grupper = (antall: number[]): Celle[] => antall.map((n, i) => ({ verdi: `G${String(i)}`, antall: n }));
const skjul = (antall: number[], maks = 100): Tabell => skjulSmaa(grupper(antall), maks);
const vist = (antall: number[], maks?: number): [(string | null)[], number | null] => {
  const { celler, ovrige } = skjul(antall, maks);
  return [celler.map(({ verdi }) => verdi), ovrige];
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
])('%s', (_, antall, ventet) => {
  expect(vist(antall)).toEqual(ventet);
});

test('those beyond the most that are shown are among the others', () => {
  expect(vist([20, 9, 7, 6], 2)).toEqual([['G0', 'G1'], 13]);
  expect(vist([20, 9, 8], 2)).toEqual([['G0'], 17]);
});

/** Everything that could have been there: up to `k` groups of 0 to `til`. */
function alle(k: number, til: number): number[][] {
  if (k === 0) return [[]];
  return alle(k - 1, til).flatMap((resten) => Array.from({ length: til + 1 }, (_, n) => [...resten, n]));
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
])('no small group can be worked out, of %d groups', (k, til) => {
  const perSvar = new Map<string, number[][]>();
  for (const antall of alle(k, til)) {
    const total = antall.reduce((a, b) => a + b, 0);
    // A total under five is not told by any table.
    const svar = JSON.stringify([skjul(antall), total < 5 ? null : total]);
    perSvar.set(svar, [...(perSvar.get(svar) ?? []), antall]);
  }
  const roepet: number[][] = [];
  for (const mulige of perSvar.values()) {
    for (let gruppe = 0; gruppe < k; gruppe++) {
      const storrelser = new Set(mulige.map((antall) => antall[gruppe]));
      const [eneste = 0] = storrelser;
      if (storrelser.size === 1 && eneste > 0 && eneste < 5) roepet.push(mulige[0] ?? []);
    }
  }
  expect(perSvar.size).toBeGreaterThan(10);
  expect(roepet).toEqual([]);
});

test('nothing is lost or made up: shown and others are the total', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 12 }), fc.integer({ min: 1, max: 12 }), (antall, maks) => {
      const { celler, ovrige } = skjul(antall, maks);
      const total = antall.reduce((a, b) => a + b, 0);
      const visteSum = celler.reduce((sum, celle) => sum + celle.antall, 0);
      expect(celler.every((celle) => celle.antall >= 5)).toBe(true);
      if (ovrige === null) expect([visteSum, total < 5]).toEqual([0, true]);
      else expect(visteSum + ovrige).toBe(total);
    }),
  );
});
