import { NoPlaceError } from './fair-queue.ts';
import { Groups, type Member } from './groups.ts';

interface Item extends Member {
  nr: number;
}

/** Groups that end when they are told to. */
function controlled(options: { maxEach?: number; maxWaitMs?: number; inTurn?: () => Promise<void> } = {}): {
  groups: Groups<Item, undefined>;
  add: (who: string, count: number) => void;
  /** of each group that began, who is in it */
  begun: string[][];
  end: (group: number) => Promise<void>;
  givenUp: unknown[];
} {
  const begun: string[][] = [];
  const ends: (() => void)[] = [];
  const givenUp: unknown[] = [];
  const groups = new Groups<Item, undefined>({
    maxEach: 3,
    maxWaitMs: 10_000,
    tooLong: () => new Error('too long'),
    inTurn: (_, work) => work(undefined),
    handle: (items) => {
      begun.push(items.map(({ who }) => who));
      return new Promise((resolve) => ends.push(resolve));
    },
    ...options,
  });
  let nr = 0;
  return {
    groups,
    add: (who, count) => {
      for (let i = 0; i < count; i++) groups.add('kind', 4, { who, nr: nr++, giveUp: (error) => givenUp.push(error) });
    },
    begun,
    end: (group) => {
      ends[group]?.();
      return new Promise((resolve) => setImmediate(resolve));
    },
    givenUp,
  };
}

test('alone it goes at once; what comes meanwhile goes together, as many as there is room for', async () => {
  const { add, begun, end } = controlled();
  add('a', 1);
  add('a', 6);
  expect(begun).toEqual([['a']]);
  await end(0);
  await end(1);
  expect(begun).toEqual([['a'], ['a', 'a', 'a', 'a'], ['a', 'a']]);
});

test('a group takes from the callers in turn, however long the line of one is', async () => {
  const { add, begun, end } = controlled();
  add('greedy', 5_000);
  add('b', 1);
  add('c', 3);
  for (let group = 0; group < 3; group++) await end(group);
  expect(begun.slice(1, 4).map((group) => group.toSorted())).toEqual([
    ['b', 'c', 'greedy', 'greedy'].sort(),
    ['c', 'c', 'greedy', 'greedy'].sort(),
    ['greedy', 'greedy', 'greedy', 'greedy'],
  ]);
});

test('one whose work hangs is not in all groups, and the others go on', async () => {
  const { add, begun, end } = controlled({ maxEach: 2 });
  const until = async (count: number): Promise<void> => {
    while (begun.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  add('hangs', 1);
  add('hangs', 10);
  // The first is slow, so that a second begins beside it.
  await until(2);
  add('other', 1);
  await until(3);
  expect(begun.map((group) => [...new Set(group)])).toEqual([['hangs'], ['hangs'], ['other']]);
  await end(1);
  await until(4);
  expect(begun[3]).toEqual(['hangs', 'hangs', 'hangs', 'hangs']);
});

test('what has waited for too long is told so, and where there is no place, why', async () => {
  const late = controlled({ maxWaitMs: 10, maxEach: 1 });
  late.add('a', 3);
  while (late.givenUp.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  expect([late.givenUp, late.groups.waitingCount]).toEqual([[new Error('too long'), new Error('too long')], 0]);
  const away = new Error('the database is away');
  const nowhere = controlled({ inTurn: () => Promise.reject(away) });
  nowhere.add('a', 1);
  await nowhere.end(0);
  expect([nowhere.givenUp, nowhere.groups.waitingCount]).toEqual([[away], 0]);
  const full = controlled({ maxWaitMs: 0, inTurn: () => Promise.reject(new NoPlaceError()) });
  full.add('a', 1);
  await full.end(0);
  expect(full.givenUp).toEqual([new Error('too long')]);
});

test('a slow group that ends when its kind is gone takes nothing with it of the next one', async () => {
  const { add, begun, end, groups } = controlled({ maxEach: 1, maxWaitMs: 300 });
  add('slow', 1);
  // Slow by now, and nobody waits: the kind is let go.
  await new Promise((resolve) => setTimeout(resolve, 60));
  add('next', 1);
  add('next', 1);
  await end(0);
  expect([begun, groups.waitingCount]).toEqual([[['slow'], ['next']], 1]);
  while (groups.waitingCount > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});
