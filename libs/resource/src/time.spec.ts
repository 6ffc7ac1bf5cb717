import fc from 'fast-check';
import {
  parseAnyDate,
  parseAnyInstant,
  parseAnyOsloTime,
  parseDate,
  parseInstant,
  parseOsloTime,
  todayInOslo,
  toOsloMilliseconds,
} from './time.ts';
import { usualDate, usualInstant, usualOsloTime } from './usual-time.ts';

describe('parseInstant', () => {
  test.each([
    ['2022-02-04T08:46:39.573884Z', '2022-02-04T08:46:39.573884Z'],
    ['2022-02-04T08:46:39Z', '2022-02-04T08:46:39.000000Z'],
    ['2022-02-04T08:46:39.5Z', '2022-02-04T08:46:39.500000Z'],
    ['2024-05-01T10:00:00.777105936Z', '2024-05-01T10:00:00.777106Z'],
    ['2024-05-01T10:00:00.045680765Z', '2024-05-01T10:00:00.045681Z'],
    ['2024-05-01T10:00:00.0000004Z', '2024-05-01T10:00:00.000000Z'],
    ['2024-05-01T10:00:00.0000005Z', '2024-05-01T10:00:00.000001Z'],
    ['2024-12-31T23:59:59.9999995Z', '2025-01-01T00:00:00.000000Z'],
    ['2024-05-01T12:00:00+02:00', '2024-05-01T10:00:00.000000Z'],
  ])('%s is %s', (input, out) => expect(parseInstant(input)).toBe(out));

  test.each([
    '2024-05-01T10:00:00', // no offset
    '2024-02-30T10:00:00Z',
    '2024-05-01T24:00:00Z',
    '2024-05-01T10:60:00Z',
    '2024-05-01T10:00:60Z',
    '2024-05-01T10:00:00+24:00',
    '2024-05-01T10:00:00-01:60',
    '2024-05-01T10:00:00.1234567890Z',
    '2024-05-01',
    '9999-12-31T23:59:59.9999999Z',
    '',
    'i dag',
  ])('%p is not an instant', (input) => expect(parseInstant(input)).toBeUndefined());

  test('text order is time order, to the microsecond', () => {
    const micro = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n });
    const toText = (µs: bigint): string =>
      `${new Date(Number(µs / 1_000_000n) * 1000).toISOString().slice(0, 19)}.${String(µs % 1_000_000n).padStart(6, '0')}Z`;
    fc.assert(
      fc.property(micro, micro, (a, b) => {
        const [x, y] = [parseInstant(toText(a)) ?? '', parseInstant(toText(b)) ?? ''];
        expect(x < y).toBe(a < b);
        expect(x).toBe(toText(a));
      }),
    );
  });
});

describe('toOsloMilliseconds', () => {
  test.each([
    ['2025-01-15T09:11:12.345678Z', '2025-01-15T10:11:12.345+01:00'],
    ['2025-07-15T09:11:12Z', '2025-07-15T11:11:12.000+02:00'],
    ['2025-07-15T09:11:12.5Z', '2025-07-15T11:11:12.500+02:00'],
    ['2025-07-15T09:11:12.999999Z', '2025-07-15T11:11:12.999+02:00'],
    ['2024-12-31T23:59:59.9996Z', '2025-01-01T00:59:59.999+01:00'],
    // Where the clocks are set forward, and back.
    ['2025-03-30T00:59:59.999999Z', '2025-03-30T01:59:59.999+01:00'],
    ['2025-03-30T01:00:00Z', '2025-03-30T03:00:00.000+02:00'],
    ['2025-10-26T00:30:00Z', '2025-10-26T02:30:00.000+02:00'],
    ['2025-10-26T01:30:00Z', '2025-10-26T02:30:00.000+01:00'],
  ])('%s is %s', (input, out) => expect(toOsloMilliseconds(input)).toBe(out));

  test('is the same moment, less what is finer than a millisecond', () => {
    const moment = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(moment, fc.nat(999), (date, micro) => {
        const text = date.toISOString().replace('Z', `${String(micro).padStart(3, '0')}Z`);
        expect(Date.parse(toOsloMilliseconds(text))).toBe(date.getTime());
      }),
    );
  });
});

describe('parseOsloTime', () => {
  test.each([
    ['2022-01-18T08:43:53.256512', '2022-01-18T07:43:53.256512Z'],
    ['2022-07-18T08:43:53', '2022-07-18T06:43:53.000000Z'],
    ['2024-07-18T08:43', '2024-07-18T06:43:00.000000Z'],
    // The autumn hour that occurs twice: the first.
    ['2025-10-26T02:30:00', '2025-10-26T00:30:00.000000Z'],
    ['2025-10-26T03:00:00', '2025-10-26T02:00:00.000000Z'],
    // The spring hour that does not exist: moved forward.
    ['2025-03-30T02:30:00', '2025-03-30T01:30:00.000000Z'],
    ['2025-03-30T01:59:59.999999999', '2025-03-30T01:00:00.000000Z'],
    ['2025-03-30T03:00:00', '2025-03-30T01:00:00.000000Z'],
    ['1985-12-01T12:00:00', '1985-12-01T11:00:00.000000Z'],
    // With an offset, which the source does not send today, the offset is believed.
    ['2022-01-18T08:43:53Z', '2022-01-18T08:43:53.000000Z'],
  ])('%s is %s', (input, out) => expect(parseOsloTime(input)).toBe(out));

  test('agrees with the time zone database wherever the wall-clock time occurs once', () => {
    const wall = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short', timeStyle: 'medium' });
    fc.assert(
      fc.property(fc.integer({ min: 1_000_000_000, max: 3_000_000_000 }), (seconds) => {
        const local = wall.format(seconds * 1000).replace(' ', 'T');
        const wasRead = Date.parse(parseOsloTime(local) ?? '') / 1000;
        // In the repeated hour the first is chosen, an hour before.
        expect([seconds, seconds - 3600]).toContain(wasRead);
        expect(wall.format(wasRead * 1000).replace(' ', 'T')).toBe(local);
      }),
    );
  });
});

test.each([
  ['2024-02-29', true],
  ['2023-02-29', false],
  ['2100-02-29', false],
  ['2024-04-31', false],
  ['0000-01-01', false],
  ['2024-1-1', false],
  ['2024-01-01T00:00:00', false],
])('%s is a date: %s', (date, exists) => expect(parseDate(date)).toBe(exists ? date : undefined));

test('the day begins in Oslo', () => {
  expect(todayInOslo(new Date('2026-06-30T21:59:59Z'))).toBe('2026-06-30');
  expect(todayInOslo(new Date('2026-06-30T22:00:00Z'))).toBe('2026-07-01');
  expect(todayInOslo(new Date('2026-12-31T23:00:00Z'))).toBe('2027-01-01');
});

describe('a time of the usual form', () => {
  const number = (min: number, max: number, width = 2): fc.Arbitrary<string> =>
    fc.integer({ min, max }).map((n) => String(n).padStart(width, '0'));
  const year = fc.oneof({ weight: 3, arbitrary: number(1965, 2110, 4) }, number(0, 9_999, 4));
  const date = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(year, number(0, 13), number(0, 32)).map((parts) => parts.join('-')) },
    // Days on which the clocks are changed, are about to be, or were at war; leap days, and the ends of what there is.
    fc.constantFrom('2025-03-30', '2025-10-26', '2025-03-29', '2025-10-27', '1940-08-11', '1980-04-06', '1996-10-27'),
    fc.constantFrom('2024-02-29', '2023-02-29', '2100-02-29', '0001-01-01', '9999-12-31', '2099-12-31', '1970-01-01'),
  );
  const fraction = fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{0,10}$/), fc.stringMatching(/^\.9{4,9}[45]?$/));
  const zone = fc.constantFrom('', '', 'Z', 'Z', 'z', 'ZZ', '+01:00', '-23:59', '+24:00');
  const clock = fc.tuple(number(0, 24), number(0, 60), number(0, 60)).map((parts) => parts.join(':'));
  const usual = fc
    .tuple(date, fc.constantFrom('T', 'T', 'T', ' ', ''), fc.oneof(clock, fc.constant('12:30')), fraction, zone)
    .map((parts) => parts.join(''));
  /** One character is another, one more, or gone. */
  const spoilt = fc
    .tuple(usual, fc.nat(), fc.string({ unit: 'binary', maxLength: 1 }), fc.nat(1))
    .map(([text, at, char, cut]) => text.slice(0, at % 32) + char + text.slice((at % 32) + cut));
  const anyText = fc.oneof({ weight: 4, arbitrary: usual }, spoilt, date, fc.string({ unit: 'binary', maxLength: 40 }));

  test('is read as any other is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const read = [parseDate(text), parseInstant(text), parseOsloTime(text)].join();
        expect(read).toBe([parseAnyDate(text), parseAnyInstant(text), parseAnyOsloTime(text)].join());
      }),
      { numRuns: 3_000 },
    );
  });

  test.each(['', '.5', '.256512', '.256512999', '.2565124'])('needs no rule of the calendar: fraction %p', (digits) => {
    const clocks = `2022-01-18T08:43:53${digits}`;
    expect(usualDate(clocks.slice(0, 10))).toBe(clocks.slice(0, 10));
    expect(usualInstant(`${clocks}Z`)).toBe(parseAnyInstant(`${clocks}Z`));
    expect(usualOsloTime(clocks, () => 1)).toBe(parseAnyOsloTime(clocks));
  });
});
