/** The source's times, by rules 2 and 7 of its contract. undefined: it can't be read. */

const DATE = /^\d{4}-\d\d-\d\d$/;
const WALL_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?$/;

/** A date that exists, as it came. */
export function readDate(text: string): string | undefined {
  return DATE.test(text) && exists(`${text}T00:00:00`) ? text : undefined;
}

/** `Instant`, which ends in Z: UTC with six digits, rounded half up. */
export function readInstant(text: string): string | undefined {
  const [, whole, fraction = ''] = WALL_TIME.exec(text.replace(/Z$/, '')) ?? [];
  if (!whole || !text.endsWith('Z') || !exists(whole)) return undefined;
  return withMicro(Date.parse(`${whole}Z`), fraction);
}

/**
 * `LocalDateTime`, Oslo's wall clock: UTC with six digits. Both of Oslo's offsets are tried, summer time first, which is
 * the first of two equal hours. An hour that doesn't exist fits neither: read with the offset from before it, it has moved
 * forward.
 */
export function readOsloTime(text: string): string | undefined {
  const [, whole, fraction = ''] = WALL_TIME.exec(text) ?? [];
  if (!whole || !exists(whole)) return undefined;
  const [summer, winter] = [Date.parse(`${whole}+02:00`), Date.parse(`${whole}+01:00`)];
  const fitting = [summer, winter].find((ms) => shownAs(ms, whole));
  return withMicro(fitting ?? winter, fraction);
}

/** Not 31 February, and not 24:00. */
function exists(whole: string): boolean {
  const ms = Date.parse(`${whole}Z`);
  return !whole.startsWith('0000') && !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(whole);
}

const wallClock = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/Oslo',
  dateStyle: 'short',
  timeStyle: 'medium',
});

function shownAs(ms: number, whole: string): boolean {
  return wallClock.format(ms).replace(' ', 'T') === whole;
}

function withMicro(ms: number, fraction: string): string {
  const nano = BigInt(fraction.padEnd(9, '0'));
  const micro = BigInt(ms) * 1_000n + (nano + 500n) / 1_000n;
  const rest = ((micro % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const whole = new Date(Number((micro - rest) / 1_000n)).toISOString().slice(0, 19);
  return `${whole}.${String(rest).padStart(6, '0')}Z`;
}
