import { createEvents } from '@tiltak/simulator';
import { textsOf } from './publish.ts';
import { changesTo, copiesOf, originalCount, renamed } from './stock.ts';

test('a copy of the stock is of another avtale and another person, wherever a message names them', () => {
  const key = '01234567-ffff-4aaa-8aaa-0123456789ab';
  const fnr = '1'.repeat(11);
  const value = JSON.stringify({ avtaleId: key, avtaleNr: 12, deltakerFnr: fnr, del: { avtaleId: key, av: fnr } });
  const other = renamed({ key, value }, 2, () => '2'.repeat(11));
  expect(other.key).toBe('01234567-0001-4aaa-8aaa-0123456789ab');
  expect(JSON.parse(other.value)).toEqual({
    avtaleId: other.key,
    avtaleNr: 20_012,
    deltakerFnr: '2'.repeat(11),
    del: { avtaleId: other.key, av: '2'.repeat(11) },
  });
});

test.each([
  [60, 'whole', 1],
  [700, 'last', 2],
] as const)('%d avtaler, %s lives: exactly so many, and changes to them only', (avtaler, lives, copies) => {
  // A smaller original than a real one, so that it is copied more than once.
  const original = textsOf(createEvents({ count: Math.min(originalCount(avtaler), 6_000) }));
  const made = copiesOf(original, { avtaler, lives });
  expect(made).toHaveLength(copies);
  const messages = made.flatMap((copy) => copy());
  expect(new Set(messages.map(({ key }) => key)).size).toBe(avtaler);
  if (lives === 'last') expect(messages).toHaveLength(avtaler);
  if (original.length < originalCount(avtaler)) return;
  const known = new Set(messages.map(({ key }) => key));
  const changes = changesTo({ avtaler, lives });
  expect(changes.length).toBeGreaterThan(avtaler);
  expect(changes.filter(({ key }) => !known.has(key))).toEqual([]);
});
