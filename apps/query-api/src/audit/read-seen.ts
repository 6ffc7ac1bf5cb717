import type { Pool } from 'pg';
import type { Archive } from './archive.ts';
import { monthsOf, type Months } from './months.ts';
import { recordReading, type Reading } from './reading.ts';
import { whoHasSeen, whoHasSeenByDay, whoHasSeenInSum, type SeenDto, type SeenInSum } from './who-has-seen.ts';

/** Whole time, as first and last day are when they are not given. */
export const [FIRST_DAY, LAST_DAY] = ['0001-01-01', '9999-12-31'];

/** YYYY-MM-DD, and a day that there is. */
export function isDay(day: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) return false;
  const moment = new Date(day);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(day);
}

const REASON_LENGTH = { min: 10, max: 1_000 };

/** What is wrong with why the audit is read, without its blanks at the ends. It is kept, so it names no person by ident. */
export function faultOfReason(reason: string): string | undefined {
  const { min, max } = REASON_LENGTH;
  if (reason.length < min || reason.length > max) return 'must say why the audit is read, in 10 to 1,000 characters';
  return /\d{6}[ .-]?\d{5}/.test(reason) ? 'must not hold a national ident' : undefined;
}

export interface Seen {
  lost: Months['lost'];
  each: () => AsyncIterable<SeenDto>;
  /** what names nobody by day */
  byDay: () => AsyncIterable<SeenDto | SeenInSum>;
  /** all but the newest */
  inSum: (newest: number) => AsyncIterable<SeenDto | SeenInSum>;
}

/**
 * The one way to who has seen a person, of commands and of the page: why is committed first, whatever comes of the reading.
 *
 * @returns also the months that nothing is known of any more
 * @throws ArchiveError when a month that is asked for has left the database, and its file is not in the archive
 */
export async function readSeen(
  db: Pool,
  reading: Reading,
  { konsument = null, archive }: { konsument?: string | null | undefined; archive?: Archive | undefined },
): Promise<Seen> {
  await recordReading(db, reading);
  const { person, fra, til } = reading;
  const selected = { fra, til, konsument };
  const { lost } = await monthsOf(db, selected, archive);
  return {
    lost,
    each: () => whoHasSeen(db, person, selected, archive),
    byDay: () => whoHasSeenByDay(db, person, selected, archive),
    inSum: (newest) => whoHasSeenInSum(db, person, selected, { newest, archive }),
  };
}
