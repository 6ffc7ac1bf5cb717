import { createEvents } from '@tiltak/simulator';
import { changesTo, Copies, copiesOf, originalCount, originalOf, renamed, YEARS } from './copies.ts';
import { textsOf } from './publish.ts';
import type { Stock } from './stock.ts';

test('a copy of the stock is of another avtale, person and employer, wherever a message names them, and of another day', () => {
  const key = '01234567-ffff-4aaa-8aaa-0123456789ab';
  const fnr = '1'.repeat(11);
  const value = JSON.stringify({
    avtaleId: key,
    avtaleNr: 12,
    deltakerFnr: fnr,
    bedriftNr: '3'.repeat(9),
    startDato: '2025-03-01',
    sistEndret: '2025-02-28T23:59:59.5Z',
    del: { avtaleId: key, av: fnr },
  });
  const other = renamed({ key, value }, 2, { fnr: () => '2'.repeat(11), orgnr: () => '4'.repeat(9), days: -364 });
  expect(other.key).toBe('01234567-0001-4aaa-8aaa-0123456789ab');
  expect(JSON.parse(other.value)).toEqual({
    avtaleId: other.key,
    avtaleNr: 200_012,
    deltakerFnr: '2'.repeat(11),
    bedriftNr: '4'.repeat(9),
    startDato: '2024-03-02',
    sistEndret: '2024-03-01T23:59:59.5Z',
    del: { avtaleId: other.key, av: '2'.repeat(11) },
  });
});

test.each([
  [60, 'whole', 1],
  [700, 'last', 2],
] as const)('%d avtaler, %s lives: exactly so many, and changes to them only', (avtaler, lives, count) => {
  const stock: Stock = { avtaler, lives };
  // A smaller original than a real one, so that it is copied more than once.
  const original = textsOf(createEvents({ count: Math.min(originalCount(stock), 6_000) }));
  const made = copiesOf(original, stock);
  expect(made).toHaveLength(count);
  const messages = made.flatMap((copy) => copy());
  expect(new Set(messages.map(({ key }) => key)).size).toBe(avtaler);
  if (lives === 'last') expect(messages).toHaveLength(avtaler);
  if (original.length < originalCount(stock)) return;
  const known = new Set(messages.map(({ key }) => key));
  const changes = [...changesTo(stock, { count, without: [0] })];
  expect(changes.length).toBeGreaterThan(avtaler);
  expect(changes.filter(({ key }) => !known.has(key))).toEqual([]);
});

const GROWN: Stock = { avtaler: 800, lives: 'whole', growth: { ingested: 800 } };

test('changes to a stock of many copies are to all that are whole, and each pass is later than the one before', () => {
  const copies = new Copies(originalOf(GROWN), GROWN);
  const places = new Map([0, 1, 2, 3].flatMap((nr) => copies.ids.map((key) => [copies.idOf(nr, key), nr] as const)));
  const [first, second] = [0, 1].map((pass) => [...changesTo(GROWN, { count: 4, without: [2] }, pass)]) as [
    { key: string; value: string }[],
    { key: string; value: string }[],
  ];
  expect(new Set([...first, ...second].map(({ key }) => places.get(key)))).toEqual(new Set([0, 1, 3]));
  const latest = (messages: { value: string }[]): string =>
    messages.map(({ value }) => /"sistEndret":"([^"]+)/.exec(value)?.[1] ?? '').reduce((a, b) => (a > b ? a : b));
  expect(latest(second).slice(0, 10)).toBe(dayAfter(latest(first).slice(0, 10)));
});

const dayAfter = (date: string): string => new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);

test('copies are spread over years, and persons that share an avtale are taken together', () => {
  const copies = new Copies(originalOf(GROWN), GROWN);
  const yearsOf = (nr: number): string[] =>
    copies.messagesOf(nr, new Set(copies.ids)).map(({ value }) => /"sistEndret":"(\d{4})/.exec(value)?.[1] ?? '');
  expect(new Set(Array.from({ length: YEARS }, (_, nr) => yearsOf(nr)).flat()).size).toBeGreaterThanOrEqual(9);
  const groups = copies.avtalerOfPersons();
  expect(groups.flat().sort((a, b) => a - b)).toEqual(copies.ids.map((_, i) => i));
  const groupOf = new Map(groups.flatMap((group, nr) => group.map((i) => [copies.ids[i], nr] as const)));
  const personsOf = new Map<string, Set<number | undefined>>();
  for (const { key, value } of copies.original) {
    const [, fnr = key] = /"deltakerFnr":"(\d{11})"/.exec(value) ?? [];
    personsOf.set(fnr, (personsOf.get(fnr) ?? new Set()).add(groupOf.get(key)));
  }
  expect([...personsOf.values()].filter(({ size }) => size > 1)).toEqual([]);
});
