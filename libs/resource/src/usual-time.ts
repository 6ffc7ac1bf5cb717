import type { Instant } from './fields.ts';

/*
 * Times of the form that the source writes, read character by character: a message has a dozen of them, and a regexp, a
 * Date and Intl for each take longer than all the rest. What is read here is read as `time.ts` reads any text, or not at
 * all: undefined says only that it has another form.
 */

/** `YYYY-MM-DD`, unchanged. */
export function usualDate(text: string): string | undefined {
  return text.length === 10 && hasUsualDate(text) ? text : undefined;
}

/** `YYYY-MM-DDTHH:mm:ss[.f…]Z` */
export function usualInstant(text: string): Instant | undefined {
  const end = text.length - 1;
  if (text.charCodeAt(end) !== Z || !hasUsualDate(text) || !hasUsualClock(text)) return undefined;
  // As most are, and as it is to be.
  if (end === MICROSECONDS && text.charCodeAt(SECOND) === POINT && areDigits(text, SECOND + 1, end)) return text;
  return withMicroseconds(text, text.slice(0, SECOND), end);
}

/**
 * `YYYY-MM-DDTHH:mm:ss[.f…]`, an Oslo wall-clock time that is on the same day in UTC.
 *
 * @param hoursAhead of UTC, all through the day of the text; 0 when they change, or aren't whole
 */
export function usualOsloTime(
  text: string,
  hoursAhead: (day: string, dayNumber: number) => number,
): Instant | undefined {
  if (!hasUsualDate(text) || !hasUsualClock(text)) return undefined;
  const hours = hoursAhead(text, dayNumber(text));
  const hour = twoDigits(text, 11) - hours;
  if (hours === 0 || hour < 0) return undefined;
  return withMicroseconds(text, `${text.slice(0, 11)}${TWO_DIGITS[hour] ?? ''}${text.slice(13, SECOND)}`, text.length);
}

/** Days of the years 1970–2099 have numbers from 0, each month having 31; others have none. */
export const DAY_NUMBERS = 130 * 12 * 31;

function dayNumber(text: string): number {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const number = ((year - 1970) * 12 + twoDigits(text, 5) - 1) * 31 + twoDigits(text, 8) - 1;
  return number < DAY_NUMBERS ? number : -1;
}

/** As `charCodeAt` tells them. */
const DASH = 45;
const POINT = 46;
const COLON = 58;
const T = 84;
const Z = 90;

/** Where the seconds end, and where six digits of a fraction do. */
const SECOND = 19;
const MICROSECONDS = 26;

const TWO_DIGITS = Array.from({ length: 24 }, (_, number) => String(number).padStart(2, '0'));
const LAST_DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function hasUsualDate(text: string): boolean {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return false;
  const century = twoDigits(text, 0);
  // Years under 1000 are left to the calendar, and so are leap days.
  if (century < 10 || century > 99 || twoDigits(text, 2) > 99) return false;
  const day = twoDigits(text, 8);
  return day >= 1 && day <= (LAST_DAYS[twoDigits(text, 5)] ?? 0);
}

function hasUsualClock(text: string): boolean {
  return (
    text.charCodeAt(10) === T &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    twoDigits(text, 11) <= 23 &&
    twoDigits(text, 14) <= 59 &&
    twoDigits(text, 17) <= 59
  );
}

const NOT_DIGITS = 100;

/** Also past the end, where there is no character, `NOT_DIGITS` is what there is. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NOT_DIGITS;
}

function areDigits(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

const ZEROS = ['000000', '00000', '0000', '000', '00', '0', ''];

/** @param seconds the time up to its seconds; @param end of the fraction in the text */
function withMicroseconds(text: string, seconds: string, end: number): Instant | undefined {
  if (end === SECOND) return `${seconds}.000000Z`;
  const count = end - SECOND - 1;
  if (text.charCodeAt(SECOND) !== POINT || count < 1 || count > 9 || !areDigits(text, SECOND + 1, end))
    return undefined;
  if (count <= 6) return `${seconds}${text.slice(SECOND, end)}${ZEROS[count] ?? ''}Z`;
  // The seventh digit alone decides half up.
  if (text.charCodeAt(MICROSECONDS) < 53) return `${seconds}${text.slice(SECOND, MICROSECONDS)}Z`;
  const micro = Number(text.slice(SECOND + 1, MICROSECONDS)) + 1;
  return micro === 1_000_000 ? undefined : `${seconds}.${String(micro).padStart(6, '0')}Z`;
}
