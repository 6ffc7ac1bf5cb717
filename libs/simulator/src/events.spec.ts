import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expected } from './oracle/oracle.ts';
import { createEvents, createUpdates } from './events.ts';

const json = (options: Parameters<typeof createEvents>[0]): string => JSON.stringify([...createEvents(options)]);

test('the same numbers give the same bytes, another seed others', () => {
  expect(json({ count: 1_000, seed: 7, poison: true })).toBe(json({ count: 1_000, seed: 7, poison: true }));
  expect(json({ count: 1_000, seed: 7 })).not.toBe(json({ count: 1_000, seed: 8 }));
});

test('exactly as many as were asked for', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(), fc.boolean(), (count, seed, poison) => {
      expect([...createEvents({ count, seed, poison })]).toHaveLength(count);
    }),
    { numRuns: 20 },
  );
});

test('each message is keyed by the avtale it is about, and can be used', () => {
  const messages = Array.from(createEvents({ count: 5_000, seed: 3 }), (m, offset) => ({
    ...m,
    partition: 0,
    offset,
  }));
  const { avtaler, slettet: deleted, parkert: parked } = expected(messages);
  expect(parked).toEqual([]);
  expect(avtaler.size + deleted.size).toBe(new Set(messages.map(({ key }) => key)).size);
  expect(messages.length / avtaler.size).toBeGreaterThan(5);
  expect(messages.length / avtaler.size).toBeLessThan(15);
});

test('avtaler live side by side, and a person may have several', () => {
  const keys = Array.from(createEvents({ count: 5_000, seed: 3 }), ({ key }) => key);
  const series = keys.filter((key, i) => key !== keys[i - 1]).length;
  expect(series).toBeGreaterThan(2_000);
  const { avtaler } = expected(
    Array.from(createEvents({ count: 5_000, seed: 3 }), (m, offset) => ({ ...m, partition: 0, offset })),
  );
  const countPerPerson = [...Map.groupBy(avtaler.values(), (a) => a.deltakerFnr).values()].map((a) => a.length);
  expect(Math.max(...countPerPerson)).toBeGreaterThan(2);
});

test('poison of each kind lies between the messages when asked for, and tombstones', () => {
  const messages = Array.from(createEvents({ count: 6_000, poison: true }), (m, offset) => ({
    ...m,
    partition: 0,
    offset,
  }));
  const fields = expected(messages).parkert.map(({ felt: field }) => String(field));
  expect([...new Set(fields)].sort()).toEqual(
    [
      'null',
      'avtaleId',
      'key',
      'sistEndret',
      'startDato',
      'sluttDato',
      'avtaleInngått',
      'opprettetTidspunkt',
      'versjon',
      'avtaleNr',
      'bedriftNr',
      'bedriftNavn',
      'slettemerket',
      'feilregistrert',
      'stillingprosent',
      'deltakerFnr',
      'tiltakstype',
      'ukjent',
    ].sort(),
  );
  // Every 97th is spoilt, and nothing else is parked.
  expect(fields).toHaveLength(Math.floor(6_000 / 97));
  expect(messages.filter(({ value }) => value === null).length).toBeGreaterThan(20);
});

test('memory does not grow with the number of messages', () => {
  setFlagsFromString('--expose-gc');
  const clean = runInNewContext('gc') as () => void;
  const used = (): number => {
    clean();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const measured: number[] = [];
  let n = 0;
  for (const _ of createEvents({ count: 40_000 })) if (++n === 10_000 || n === 38_000) measured.push(used());
  expect(n).toBe(40_000);
  const [early = NaN, sent = NaN] = measured;
  // The messages between would be 90 MiB.
  expect(sent - early).toBeLessThan(25);
});

describe('updates', () => {
  const count = 3_000;
  const before = [...createEvents({ count, seed: 42 })];
  const updates = [...createUpdates({ count, seed: 42 })];
  const latest = (list: typeof before): Map<string, string> =>
    new Map(
      [...expected(list.map((m, offset) => ({ ...m, partition: 0, offset }))).avtaler].map(([id, a]) => [
        id,
        a.sistEndret,
      ]),
    );

  test('are as many, about the same avtaler, all usable', () => {
    expect(updates.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    expect(expected(updates.map((m, offset) => ({ ...m, partition: 0, offset }))).parkert).toEqual([]);
    expect(updates).toEqual([...createUpdates({ count, seed: 42 })]);
  });

  test('are for the most part newer than all that was sent before; the rest is resent to the byte, or older', () => {
    const known = latest(before);
    const kind = { equal: 0, older: 0, newer: 0 };
    for (const [i, { value }] of updates.entries()) {
      const { avtaleId, sistEndret } = JSON.parse(String(value)) as Record<'avtaleId' | 'sistEndret', string>;
      if (value === before[i]?.value) kind.equal++;
      else if (sistEndret < (known.get(avtaleId) ?? '')) kind.older++;
      else kind.newer++;
    }
    expect(kind.equal / count).toBeCloseTo(0.15, 1);
    expect(kind.older / count).toBeCloseTo(0.15, 1);
    expect(kind.newer / count).toBeCloseTo(0.7, 1);
    const after = latest([...before, ...updates]);
    expect([...after].filter(([id, time]) => time !== known.get(id)).length / after.size).toBeGreaterThan(0.9);
  });
});
