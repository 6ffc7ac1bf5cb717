import fc from 'fast-check';
import { dayNumber, dateText, isClockChange, midnight, Moment } from './clock.ts';

const oslo = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'medium' });
const seconds = fc.integer({ min: Date.UTC(1997) / 1_000, max: Date.UTC(2090) / 1_000 });
const nano = fc.nat(999_999_999);

test('a local time is what a clock in Oslo shows, by the time zone database', () => {
  fc.assert(
    fc.property(seconds, (s) => {
      expect(new Moment(s, 0, true).toJSON()).toBe(oslo.format(s * 1_000).replace(' ', 'T'));
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
])('%i nanoseconds', (n, local, utc) => {
  expect(new Moment(1_767_222_000, n, true).toJSON()).toBe(`2026-01-01T00:00:00${local}`);
  expect(new Moment(1_767_222_000, n).toJSON()).toBe(`2025-12-31T23:00:00${utc}Z`);
});

test('the database rounds half up to microseconds, also into the next second', () => {
  const rounded = (n: number): [number, number] => {
    const time = new Moment(10, n).rounded();
    return [time.seconds, time.nano];
  };
  expect([rounded(499), rounded(500), rounded(999_999_500)]).toEqual([
    [10, 0],
    [10, 1_000],
    [11, 0],
  ]);
  fc.assert(
    fc.property(seconds, nano, (s, n) => {
      const time = new Moment(s, n).rounded();
      expect(Math.abs((time.seconds - s) * 1e9 + time.nano - n)).toBeLessThanOrEqual(500);
      expect(time.rounded()).toBe(time);
    }),
  );
});

test('days begin at midnight in Oslo, and two of the year are not 24 hours', () => {
  const days = Array.from({ length: 365 }, (_, n) => dayNumber('2025-01-01') + n);
  for (const day of days) {
    expect(new Moment(midnight(day), 0, true).toJSON()).toBe(`${dateText(day)}T00:00:00`);
  }
  expect(days.filter(isClockChange).map(dateText)).toEqual(['2025-03-30', '2025-10-26']);
});
