import type { Instant } from './fields.ts';
import { DAY_NUMBERS, usualDate, usualInstant, usualOsloTime } from './usual-time.ts';

const MOMENT =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const HOUR_MS = 3_600_000;

/** A calendar date that exists, unchanged; undefined when it doesn't. */
export function parseDate(text: string): string | undefined {
  return usualDate(text) ?? parseAnyDate(text);
}

/** A time with offset (the source's `Instant`), rounded half up to whole microseconds; undefined when unreadable. */
export function parseInstant(text: string): Instant | undefined {
  return usualInstant(text) ?? parseAnyInstant(text);
}

/**
 * A time without offset (the source's `LocalDateTime`): Europe/Oslo wall-clock time. The hour that occurs twice in
 * autumn is its first occurrence, the hour that doesn't exist in spring is moved forward. Should the source begin to
 * send an offset, the offset is believed.
 */
export function parseOsloTime(text: string): Instant | undefined {
  return usualOsloTime(text, hoursAhead) ?? parseAnyOsloTime(text);
}

/** As `parseDate`, whatever the form. */
export function parseAnyDate(text: string): string | undefined {
  const [, year, month, day] = DATE.exec(text) ?? [];
  return year && month && day && dateExists(Number(year), Number(month), Number(day)) ? text : undefined;
}

/** As `parseInstant`, whatever the form. */
export function parseAnyInstant(text: string): Instant | undefined {
  const parts = parseParts(text);
  return parts?.zone ? toInstant(parts, zoneMs(parts.zone)) : undefined;
}

/** As `parseOsloTime`, whatever the form. */
export function parseAnyOsloTime(text: string): Instant | undefined {
  const parts = parseParts(text);
  if (!parts) return undefined;
  return toInstant(parts, parts.zone ? zoneMs(parts.zone) : osloOffset(text.slice(0, 13), parts));
}

/** Today's date in Oslo, where a calendar day of the domain begins and ends. */
export function todayInOslo(now: Date = new Date()): string {
  return new Date(now.getTime() + offsetInUtcHour(now.toISOString().slice(0, 13))).toISOString().slice(0, 10);
}

/**
 * As Oslo's clocks showed it, with their offset, `YYYY-MM-DDTHH:mm:ss.fff+HH:mm`; what is finer is cut off.
 *
 * @param text UTC, `YYYY-MM-DDTHH:mm:ss[.f…]Z`
 */
export function toOsloMilliseconds(text: string): string {
  const offsetMs = offsetInUtcHour(text.slice(0, 13));
  const wall = new Date(Date.parse(`${text.slice(0, 19)}Z`) + offsetMs).toISOString().slice(0, 19);
  const milliseconds = text.slice(20, -1).slice(0, 3).padEnd(3, '0');
  const minutes = Math.abs(offsetMs) / 60_000;
  const offset = `${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
  return `${wall}.${milliseconds}${offsetMs < 0 ? '-' : '+'}${offset}`;
}

/** The day so many days after another, or before when negative; both `YYYY-MM-DD`. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * 24 * HOUR_MS).toISOString().slice(0, 10);
}

/** A wall-clock time, with the offset it was written with. */
interface TimeParts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** digits of the fraction of a second */
  fraction: string;
  zone: string | undefined;
}

function parseParts(text: string): TimeParts | undefined {
  const match = MOMENT.exec(text);
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6] ?? 0)];
  if (!dateExists(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  return { year, month, day, hour, minute, second, fraction: match[7] ?? '', zone: match[8] };
}

function toInstant(parts: TimeParts, offsetMs: number): Instant | undefined {
  const { fraction } = parts;
  // The seventh digit alone decides half up.
  const roundedUp = fraction.length > 6 && fraction.charCodeAt(6) >= 53 ? 1 : 0;
  const micro = Number(fraction.slice(0, 6).padEnd(6, '0')) + roundedUp;
  const time = new Date(localMs(parts) - offsetMs + (micro === 1_000_000 ? 1000 : 0));
  const year = time.getUTCFullYear();
  // Other years have another length and another order as text.
  if (year < 1 || year > 9999) return undefined;
  const date = `${digits(year, 4)}-${digits(time.getUTCMonth() + 1)}-${digits(time.getUTCDate())}`;
  const clock = `${digits(time.getUTCHours())}:${digits(time.getUTCMinutes())}:${digits(time.getUTCSeconds())}`;
  return `${date}T${clock}.${digits(micro % 1_000_000, 6)}Z`;
}

function digits(number: number, count = 2): string {
  return String(number).padStart(count, '0');
}

/** Milliseconds since 1970 of the wall-clock time, read as if it were UTC. */
function localMs({ year, month, day, hour, minute, second }: TimeParts): number {
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC reads the years 0–99 as 1900–1999.
  return year > 99 ? ms : new Date(ms).setUTCFullYear(year, month - 1, day);
}

function dateExists(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  const leapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 ? (leapYear ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0;
  const [hours, minutes] = zone.slice(1).split(':').map(Number) as [number, number];
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

const oslo = new Intl.DateTimeFormat('en-US', { timeZone: 'Europe/Oslo', timeZoneName: 'longOffset' });

function offsetAt(utcMs: number): number {
  const name = oslo.formatToParts(utcMs).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
  return sign ? zoneMs(`${sign}${hours ?? '00'}:${minutes ?? '00'}`) : 0;
}

/** Oslo changes its clocks on whole hours, so one look-up serves every time in an hour; Intl takes 10 µs. */
const offsetByUtcHour = new Map<string, number>();
const offsetByHour = new Map<string, number>();

function remember(known: Map<string, number>, hour: string, offset: number): number {
  if (known.size >= 100_000) known.clear();
  known.set(hour, offset);
  return offset;
}

function offsetInUtcHour(utcHour: string): number {
  const known = offsetByUtcHour.get(utcHour);
  return known ?? remember(offsetByUtcHour, utcHour, offsetAt(Date.parse(`${utcHour}:00:00Z`)));
}

function osloOffset(wallHour: string, parts: TimeParts): number {
  return offsetByHour.get(wallHour) ?? remember(offsetByHour, wallHour, osloOffsetOf(localMs(parts)));
}

function osloOffsetOf(local: number): number {
  const before = offsetAt(local - 24 * HOUR_MS);
  const after = offsetAt(local + 24 * HOUR_MS);
  // The offset from before a change gives the first of two equal hours, and moves a missing hour forward.
  return offsetAt(local - before) !== before && offsetAt(local - after) === after ? after : before;
}

/** By the number of a day: how far its clocks are ahead of UTC, in hours; -1 when not by whole hours all day. */
const hoursAheadByDay = new Int8Array(DAY_NUMBERS);

function hoursAhead(text: string, dayNumber: number): number {
  const known = hoursAheadByDay[dayNumber];
  if (known) return Math.max(known, 0);
  if (known === undefined) return 0;
  const day = text.slice(0, 10);
  const [first, last] = ['00:00:00', '23:59:59'].map((clock) => hoursAheadAt(`${day}T${clock}`));
  hoursAheadByDay[dayNumber] = first && first === last && first > 0 && Number.isInteger(first) ? first : -1;
  return hoursAhead(text, dayNumber);
}

function hoursAheadAt(wallTime: string): number {
  return (Date.parse(`${wallTime}Z`) - Date.parse(parseAnyOsloTime(wallTime) ?? '')) / HOUR_MS;
}
