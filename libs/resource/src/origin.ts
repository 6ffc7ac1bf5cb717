/** Header of a tombstone: the offset that it does not delete beyond, as decimal digits. */
export const DELETE_BEFORE = 'slett-foer';

/** How far after its message's own time `sistEndret` may lie: clocks differ, and the newest wins for ever. */
const MAX_AHEAD_MS = 24 * 3_600_000;

/** What is known of a message beside its bytes. */
export interface MessageOrigin {
  /** of a tombstone: the offset that it does not delete beyond */
  deleteBefore?: number | undefined;
  /** When it was written, ms since 1970: the timestamp of its record. Undefined: not known, and nothing is held against it. */
  writtenAt?: number | undefined;
}

const DAY_MS = 24 * 3_600_000;

/** The day of the message before, and the least that a message of it may have: hardly any is later than that. */
let today = { day: NaN, latest: '' };

/** Whether it says that it was changed long after it was written. */
export function isAhead(sistEndret: string, writtenAt: number): boolean {
  const day = Math.floor(writtenAt / DAY_MS);
  if (day !== today.day) today = { day, latest: latestChange(day * DAY_MS) };
  return sistEndret > today.latest && sistEndret > latestChange(writtenAt);
}

/** The last `sistEndret` that a message of that time may have, as `Instant`s are written. */
export function latestChange(writtenAt: number): string {
  const latest = writtenAt + MAX_AHEAD_MS;
  // Beyond what a `sistEndret` can be.
  if (!(latest < END_OF_TIME)) return 'never';
  return `${new Date(Math.max(latest, 0)).toISOString().slice(0, -1)}000Z`;
}

const END_OF_TIME = Date.UTC(10_000, 0, 1);
