import fc from 'fast-check';
import { dagnummer, datotekst, erKlokkeskifte, midnatt, Tidspunkt } from './klokke.ts';

const oslo = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'medium' });
const sekunder = fc.integer({ min: Date.UTC(1997) / 1_000, max: Date.UTC(2090) / 1_000 });
const nano = fc.nat(999_999_999);

test('a local time is what a clock in Oslo shows, by the time zone database', () => {
  fc.assert(
    fc.property(sekunder, (s) => {
      expect(new Tidspunkt(s, 0, true).toJSON()).toBe(oslo.format(s * 1_000).replace(' ', 'T'));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  [0, '', ''],
  [500_000_000, '.5', '.500'],
  [45_680_765, '.045680765', '.045680765'],
  [45_681_000, '.045681', '.045681'],
  [120, '.00000012', '.000000120'],
])('%i nanoseconds', (n, lokal, utc) => {
  expect(new Tidspunkt(1_767_222_000, n, true).toJSON()).toBe(`2026-01-01T00:00:00${lokal}`);
  expect(new Tidspunkt(1_767_222_000, n).toJSON()).toBe(`2025-12-31T23:00:00${utc}Z`);
});

test('the database rounds half up to microseconds, also into the next second', () => {
  const avrundet = (n: number): [number, number] => {
    const tid = new Tidspunkt(10, n).avrundet();
    return [tid.sekunder, tid.nano];
  };
  expect([avrundet(499), avrundet(500), avrundet(999_999_500)]).toEqual([
    [10, 0],
    [10, 1_000],
    [11, 0],
  ]);
  fc.assert(
    fc.property(sekunder, nano, (s, n) => {
      const tid = new Tidspunkt(s, n).avrundet();
      expect(Math.abs((tid.sekunder - s) * 1e9 + tid.nano - n)).toBeLessThanOrEqual(500);
      expect(tid.avrundet()).toBe(tid);
    }),
  );
});

test('days begin at midnight in Oslo, and two of the year are not 24 hours', () => {
  const dager = Array.from({ length: 365 }, (_, n) => dagnummer('2025-01-01') + n);
  for (const dag of dager) {
    expect(new Tidspunkt(midnatt(dag), 0, true).toJSON()).toBe(`${datotekst(dag)}T00:00:00`);
  }
  expect(dager.filter(erKlokkeskifte).map(datotekst)).toEqual(['2025-03-30', '2025-10-26']);
});
