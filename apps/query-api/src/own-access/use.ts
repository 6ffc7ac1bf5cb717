import { UKJENT } from '@tiltak/avtale';

/** Days without use after which something granted is told to be unused. */
export const UNUSED_AFTER_DAYS = 90;

export const USES = ['BRUKT', 'UBRUKT', 'ALDRI', UKJENT] as const;

/** What can be said of the use of something that is granted. */
export type Use = (typeof USES)[number];

/** The time in which use is known; RFC 3339, as all its times. Undefined: none of it. */
export interface KnownTime {
  from: string;
  /** of the question: what was used until a while ago may be used in a moment */
  now: string;
}

const DAY_MS = 24 * 60 * 60_000;

/** @param lastUsed null: never since use is known */
export function useOf(lastUsed: string | null, known: KnownTime | undefined): Use {
  if (!known) return UKJENT;
  const daysSince = (moment: string): number => (Date.parse(known.now) - Date.parse(moment)) / DAY_MS;
  if (lastUsed !== null) return daysSince(lastUsed) < UNUSED_AFTER_DAYS ? 'BRUKT' : 'UBRUKT';
  return daysSince(known.from) < UNUSED_AFTER_DAYS ? UKJENT : 'ALDRI';
}
