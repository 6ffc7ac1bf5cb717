import type { Random } from './random.ts';

export const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/**
 * A moment with the source's precision. As JSON either an `Instant`, in UTC, or (`local`) a `LocalDateTime`: Oslo's wall
 * clock without offset.
 */
export class Moment {
  /** whole seconds since 1970, UTC */
  readonly seconds: number;
  /** 0–999,999,999 */
  readonly nano: number;
  readonly local: boolean;

  constructor(seconds: number, nano: number, local = false) {
    this.seconds = seconds;
    this.nano = nano;
    this.local = local;
  }

  asLocal(): Moment {
    return new Moment(this.seconds, this.nano, true);
  }

  /** As Postgres keeps it: microseconds, rounded half up. */
  rounded(): Moment {
    if (this.nano % 1_000 === 0) return this;
    const micro = Math.floor((this.nano + 500) / 1_000);
    return new Moment(this.seconds + Math.floor(micro / 1_000_000), (micro % 1_000_000) * 1_000, this.local);
  }

  /** Java writes the fraction of an `Instant` in groups of three digits, that of a `LocalDateTime` without its last zeros. */
  toJSON(): string {
    const fraction = String(this.nano).padStart(9, '0');
    if (!this.local) return `${isoSecond(this.seconds)}${withPoint(fraction.replace(/(?:000)+$/, ''))}Z`;
    return isoSecond(this.seconds + osloOffset(this.seconds)) + withPoint(fraction.replace(/0+$/, ''));
  }
}

const isoSecond = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 19);
const withPoint = (fraction: string): string => (fraction ? `.${fraction}` : '');

/** Nanoseconds with as many digits as it happens: none to nine. */
export function randomNano(random: Random): number {
  const digits = random.chance(0.7) ? 9 : random.number(0, 8);
  return random.number(0, 10 ** digits - 1) * 10 ** (9 - digits);
}

/** The calendar day in Oslo, counted from 1970-01-01. */
export type Day = number;

/** `date`: YYYY-MM-DD */
export function dayNumber(date: string): Day {
  return Date.parse(date) / (DAY_SECONDS * 1_000);
}

export function dateText(day: Day): string {
  return isoSecond(day * DAY_SECONDS).slice(0, 10);
}

/** Seconds since 1970 at the beginning of the day in Oslo. Clocks never change at midnight. */
export function midnight(day: Day): number {
  const wallTime = day * DAY_SECONDS;
  return wallTime - osloOffset(wallTime - HOUR_SECONDS);
}

export function isClockChange(day: Day): boolean {
  return midnight(day + 1) - midnight(day) !== DAY_SECONDS;
}

/** Saturday or Sunday. */
export function isWeekend(day: Day): boolean {
  return [0, 6].includes(new Date(day * DAY_SECONDS * 1_000).getUTCDay());
}

/** Seconds that Oslo's clocks are ahead of UTC, by the rule in force since 1996. */
function osloOffset(seconds: number): number {
  const year = new Date(seconds * 1_000).getUTCFullYear();
  const { spring, autumn } = summerTime(year);
  return seconds >= spring && seconds < autumn ? 2 * HOUR_SECONDS : HOUR_SECONDS;
}

const known = new Map<number, { spring: number; autumn: number }>();

/** Summer time lasts from the last Sunday of March to the last of October, 01:00 UTC. */
function summerTime(year: number): { spring: number; autumn: number } {
  let period = known.get(year);
  if (!period)
    known.set(
      year,
      (period = { spring: lastSunday(year, 3) + HOUR_SECONDS, autumn: lastSunday(year, 10) + HOUR_SECONDS }),
    );
  return period;
}

export function lastSunday(year: number, month: number): number {
  const lastDay = new Date(Date.UTC(year, month, 0));
  return lastDay.getTime() / 1_000 - lastDay.getUTCDay() * DAY_SECONDS;
}
