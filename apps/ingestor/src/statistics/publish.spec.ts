import fc from 'fast-check';
import { keyOf, publish, type Figure, type Group, type Table, type Values } from './publish.ts';

/** What is told of some avtaler divided by two dimensions, and by each of them. */
interface Told {
  total: Table;
  rows: Table;
  columns: Table;
  cells: Table;
}

type Sizes = readonly (readonly number[])[];

const name = (prefix: string, n: number): string => `${prefix}${String(n)}`;
const sum = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0);
/** Each avtale has a participant of its own. */
const group = (values: Values, size: number): Group => ({ values, avtaler: size, deltakere: size, persons: size });
const present = (groups: Group[]): Group[] => groups.filter(({ avtaler }) => avtaler > 0);

function tell(sizes: Sizes, previous?: Told): Told {
  const columnSizes = (sizes[0] ?? []).map((_, j) => sum(sizes.map((row) => row[j] ?? 0)));
  const total = publish(present([group([], sum(columnSizes))]), { parents: [], previous: previous?.total });
  const rows = publish(present(sizes.map((row, i) => group([name('r', i)], sum(row)))), {
    parents: [total],
    previous: previous?.rows,
  });
  const columns = publish(present(columnSizes.map((size, j) => group([name('k', j)], size))), {
    parents: [total],
    previous: previous?.columns,
  });
  const all = sizes.flatMap((row, i) => row.map((size, j) => group([name('r', i), name('k', j)], size)));
  // A table is told by its first dimension that is left: without the first it is the columns.
  const cells = publish(present(all), { parents: [columns, rows], previous: previous?.cells });
  return { total, rows, columns, cells };
}

const visible = (table: Table): Figure[] => [...table.values()].filter((figure) => figure.visible);
/** All that anybody can get. */
const answer = (told: Told): string =>
  JSON.stringify(
    Object.values(told).map((table: Table) =>
      visible(table)
        .map(({ values, avtaler }) => [values, avtaler])
        .sort(),
    ),
  );
const figure = (table: Table, values: Values): number => {
  const found = table.get(keyOf(values));
  return found?.visible ? found.avtaler : 0;
};

describe('one division', () => {
  test.each<[string, number[], string[]]>([
    ['nothing small: all is told', [5, 9], ['r0', 'r1']],
    ['three small ones with room for other sizes', [9, 3, 2, 3], ['r0']],
    ['one small one takes the next along', [9, 6, 2], ['r0']],
    ['two that only can be one and four take the next along', [9, 6, 1, 4], ['r0']],
    ['the next but one goes along when it is as large', [6, 6, 4, 20], ['r3']],
    ['nothing is left to take along', [7, 2], []],
    ['fewer than five in all', [1, 2], []],
    ['nothing at all', [0, 0], []],
  ])('%s', (_, sizes, expected) => {
    const { rows } = tell(sizes.map((size) => [size]));
    expect(visible(rows).map(({ values: [value] }) => value)).toEqual(expected);
  });

  test('of few persons with many avtaler is small too, and takes the next along', () => {
    const parents = [publish([group([], 30)], { parents: [] })];
    const groups = [
      { values: ['A'], avtaler: 14, deltakere: 14, persons: 14 },
      { values: ['B'], avtaler: 9, deltakere: 9, persons: 9 },
      { values: ['C'], avtaler: 7, deltakere: 1, persons: 1 },
    ];
    expect(visible(publish(groups, { parents })).map(({ values }) => values)).toEqual([['A']]);
  });
});

/** Everything that could have been there: up to `k` groups of 0 to `to`. */
function all(k: number, to: number): number[][] {
  if (k === 0) return [[]];
  return all(k - 1, to).flatMap((rest) => Array.from({ length: to + 1 }, (_, n) => [...rest, n]));
}

/**
 * The strongest reader of one day's figures: knows every group there can be, how this works, and all that is told.
 *
 * @param judged whether something is no larger than what was tried is large enough to hide
 * @returns data in which there is a small group of which only one size is possible
 */
function foundOut(possible: Sizes[], judged: (sizes: Sizes) => boolean = () => true): Sizes[] {
  const byAnswer = new Map<string, Sizes[]>();
  for (const sizes of possible) {
    const told = answer(tell(sizes));
    byAnswer.set(told, [...(byAnswer.get(told) ?? []), sizes]);
  }
  expect(byAnswer.size).toBeGreaterThan(10);
  return [...byAnswer.values()].flatMap((candidates) => {
    const sizesOf = candidates.map(groupSizes);
    const isPinned = (n: number): boolean => {
      const sizes = new Set(sizesOf.map((one) => one[n] ?? 0));
      const [only = 0] = sizes;
      return sizes.size === 1 && only > 0 && only < 5;
    };
    const pinned = (sizesOf[0] ?? []).some((_, n) => isPinned(n));
    return pinned ? candidates.filter(judged).slice(0, 1) : [];
  });
}

/** Of the cells, the rows and the columns. */
function groupSizes(sizes: Sizes): number[] {
  return [...sizes.flat(), ...sizes.map(sum), ...(sizes[0] ?? []).map((_, j) => sum(sizes.map((row) => row[j] ?? 0)))];
}

test.each([
  [2, 14],
  [3, 11],
  [4, 9],
  [5, 6],
])('no small group can be worked out, of %d groups', (k, to) => {
  expect(foundOut(all(k, to).map((sizes) => sizes.map((size) => [size])))).toEqual([]);
});

test('nor from rows and columns, by who knows how this works', () => {
  const possible = all(4, 10).map(([a = 0, b = 0, c = 0, d = 0]) => [
    [a, b],
    [c, d],
  ]);
  expect(foundOut(possible, (sizes) => Math.max(...sizes.flat()) < 7)).toEqual([]);
});

/**
 * The cells that can have another size, by one, in a table with the same rows, columns and cells as far as these are
 * told. Tries every table whose sizes are at most one from these.
 */
function openCells(sizes: Sizes, told: Told): Set<string> {
  const width = sizes[0]?.length ?? 0;
  const cells = sizes.flatMap((row, i) =>
    row.map((size, j) => ({ i, j, size, key: keyOf([name('r', i), name('k', j)]) })),
  );
  const hidden = cells.filter(({ key }) => told.cells.get(key)?.visible !== true);
  const [rows, columns] = [sizes.map(() => 0), Array.from({ length: width }, () => 0)];
  const changes: number[] = [];
  const open = new Set<string>();
  const holds = (changed: number, prefix: string, n: number, table: Table): boolean =>
    changed === 0 || figure(table, [name(prefix, n)]) === 0;
  const tryFrom = (n: number): void => {
    const cell = hidden[n];
    if (!cell) {
      const same = sum(rows) === 0 && rows.every((changed, i) => holds(changed, 'r', i, told.rows));
      if (same && columns.every((changed, j) => holds(changed, 'k', j, told.columns)))
        for (const [m, { key }] of hidden.entries()) if (changes[m] !== 0) open.add(key);
      return;
    }
    for (const change of cell.size > 0 ? [-1, 0, 1] : [0, 1]) {
      changes[n] = change;
      rows[cell.i] = (rows[cell.i] ?? 0) + change;
      columns[cell.j] = (columns[cell.j] ?? 0) + change;
      tryFrom(n + 1);
      rows[cell.i] = (rows[cell.i] ?? 0) - change;
      columns[cell.j] = (columns[cell.j] ?? 0) - change;
    }
  };
  tryFrom(0);
  return open;
}

test('nor from larger tables, by who solves their equations', () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 5, max: 30 }));
  const rowOf = (width: number): fc.Arbitrary<number[]> => fc.array(size, { minLength: width, maxLength: width });
  const tables = fc
    .integer({ min: 2, max: 3 })
    .chain((width) => fc.array(rowOf(width), { minLength: 2, maxLength: 3 }));
  let told = 0;
  fc.assert(
    fc.property(tables, (sizes) => {
      const answers = tell(sizes);
      told += visible(answers.cells).length;
      const open = openCells(sizes, answers);
      const closed = sizes.flatMap((row, i) =>
        row.flatMap((one, j) => {
          const key = keyOf([name('r', i), name('k', j)]);
          return one > 0 && one < 5 && !open.has(key) ? [key] : [];
        }),
      );
      expect([sizes, closed]).toEqual([sizes, []]);
    }),
    { numRuns: 300 },
  );
  expect(told).toBeGreaterThan(100);
});

describe('from day to day', () => {
  const size = fc.integer({ min: 0, max: 14 });
  const tables = fc.array(fc.array(size, { minLength: 2, maxLength: 2 }), { minLength: 2, maxLength: 3 });
  const groupsIn = (sizes: Sizes): [keyof Told, Values, number][] => {
    const columns = [0, 1].map((j) => sum(sizes.map((row) => row[j] ?? 0)));
    return [
      ['total', [], sum(columns)],
      ...sizes.map((row, i): [keyof Told, Values, number] => ['rows', [name('r', i)], sum(row)]),
      ...columns.map((one, j): [keyof Told, Values, number] => ['columns', [name('k', j)], one]),
      ...sizes.flatMap((row, i) =>
        row.map((one, j): [keyof Told, Values, number] => ['cells', [name('r', i), name('k', j)], one]),
      ),
    ];
  };

  test('a figure stays until the true one is five from it, and is never further off', () => {
    const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(1), fc.integer({ min: -6, max: 6 })), { maxLength: 12 });
    fc.assert(
      fc.property(tables, steps, (sizes, changes) => {
        let now = sizes;
        let told = tell(now);
        for (const [i, j, change] of changes) {
          now = now.map((row, n) => row.map((one, m) => (n === i && m === j ? Math.max(0, one + change) : one)));
          const next = tell(now, told);
          for (const [table, values, actual] of groupsIn(now)) {
            const [before, after] = [figure(told[table], values), figure(next[table], values)];
            if (after > 0) expect(Math.abs(after - actual)).toBeLessThan(5);
            if (after !== before) expect(Math.abs(after - before)).toBeGreaterThanOrEqual(5);
          }
          told = next;
        }
      }),
      { numRuns: 300 },
    );
  });

  test('one avtale that comes or goes changes no answer, unless a fifth makes a group that may be told of', () => {
    fc.assert(
      fc.property(tables, fc.nat(2), fc.nat(1), fc.constantFrom(-1, 1), (sizes, i, j, change) => {
        const told = tell(sizes);
        const now = sizes.map((row, n) => row.map((one, m) => (n === i && m === j ? Math.max(0, one + change) : one)));
        const fifth = groupsIn(sizes).some(([, , one], n) => one < 5 && (groupsIn(now)[n]?.[2] ?? 0) >= 5);
        if (!fifth) expect(answer(tell(now, told))).toBe(answer(told));
      }),
      { numRuns: 1_000 },
    );
  });
});

test('avtaler and participants are told as the same number, or five or more apart', () => {
  const groups = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 8 }), fc.nat(3)), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(groups, (sizes) => {
      const all = sizes.map(([deltakere, more, without], i) => ({
        values: [name('r', i)],
        avtaler: deltakere + more + without,
        deltakere,
        persons: deltakere + without,
      }));
      const total = publish(
        [
          {
            values: [],
            avtaler: sum(all.map(({ avtaler }) => avtaler)),
            deltakere: sum(all.map(({ deltakere }) => deltakere)),
            persons: sum(all.map(({ persons }) => persons)),
          },
        ],
        { parents: [] },
      );
      for (const { avtaler, deltakere } of visible(publish(all, { parents: [total] }))) {
        if (deltakere !== null && deltakere !== avtaler) expect(avtaler - deltakere).toBeGreaterThanOrEqual(5);
      }
    }),
  );
});
