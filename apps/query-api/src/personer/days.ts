import { addDays, type Days } from '@tiltak/avtale';

/** Text order is the order of dates: after every date, for what goes on. */
const NEVER = '~';
const DAY_MS = 86_400_000;

/** The days in common; undefined for none. A window may be open at either end. */
export function clip(
  { first, last }: Days,
  window: { from?: string | undefined; to?: string | undefined },
): Days | undefined {
  const from = window.from !== undefined && window.from > first ? window.from : first;
  const to = window.to !== undefined && window.to < (last ?? NEVER) ? window.to : last;
  return from <= (to ?? NEVER) ? { first: from, last: to } : undefined;
}

/** The same days, as few as can be, in order: those that overlap or follow each other are one. */
export function union(days: readonly Days[]): Days[] {
  const joined: Days[] = [];
  for (const { first, last } of [...days].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    const open = joined.at(-1);
    if (!open || (open.last !== null && first > open.last && first > addDays(open.last, 1)))
      joined.push({ first, last });
    else if (open.last !== null && (last ?? NEVER) > open.last) open.last = last;
  }
  return joined;
}

/** Both ends included; null when they go on. */
export function countDays(days: readonly Days[]): number | null {
  let count = 0;
  for (const { first, last } of days) {
    if (last === null) return null;
    count += daysFrom(first, last) + 1;
  }
  return count;
}

/** The gaps between days that are in order and apart. */
export function gapsIn(days: readonly Days[]): { count: number; days: number } {
  const gaps = days.slice(1).map(({ first }, i) => daysFrom(days[i]?.last ?? first, first) - 1);
  return { count: gaps.length, days: gaps.reduce((sum, gap) => sum + gap, 0) };
}

function daysFrom(first: string, last: string): number {
  return (Date.parse(last) - Date.parse(first)) / DAY_MS;
}
