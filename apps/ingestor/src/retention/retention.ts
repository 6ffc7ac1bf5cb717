import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from 'pg';
import { dropPartition, moveHorizon, readClock, readPartitions, type Partition } from './partitions.queries.ts';
import type { RetainedFeed, RetentionRule } from './rules.ts';

const DAY_MS = 86_400_000;
const LOCK_NOT_AVAILABLE = '55P03';
/** A partition that must stay. */
const HELD_BACK = 'TD020';
/** A moment each, in a round; whoever reads or writes waits no longer behind one of them. */
const ATTEMPTS = 2;
const PAUSE_MS = 5_000;

export interface RetentionEntry extends Partition {
  rule: RetentionRule | undefined;
  /** it is old enough */
  isDue: boolean;
  /** for how long it has been, or 0 */
  dueForMs: number;
  /** what ended before it is old enough; undefined when nothing goes by age */
  cutoff: Date | undefined;
}

/** A partition that was old enough, and what became of it. */
export interface RetentionOutcome extends RetentionEntry {
  outcome: 'GAAR' | 'HOLDES_IGJEN' | 'OPPTATT' | 'BORTE';
}

export interface RetentionOptions {
  /** of this process: a database whose clock has leapt ahead takes nothing with it */
  now?: Date;
  signal?: AbortSignal;
  pauseMs?: number;
}

/** All partitions, and which are old enough to go. */
export async function readRetention(
  db: Pool,
  rules: readonly RetentionRule[],
  { count, now = new Date() }: { count: boolean; now?: Date },
): Promise<RetentionEntry[]> {
  const clock = await readClock(db);
  const partitions = await readPartitions(db, { count });
  return partitions.map((partition) => {
    const rule = rules.find(({ table }) => table === partition.table);
    const cutoff = cutoffOf(rule, clock, now);
    const isDue = cutoff !== undefined && partition.to !== null && partition.to <= cutoff;
    return { ...partition, rule, isDue, cutoff, dueForMs: isDue ? Number(cutoff) - Number(partition.to) : 0 };
  });
}

/**
 * Drops what is old enough. The horizon of a feed is committed first, and what it is moved past
 * goes when that is a minute old: in the next round. A partition that somebody is in the way of is
 * tried some times, and then left for the next round; so is one that must stay.
 */
export async function applyRetention(
  db: Pool,
  rules: readonly RetentionRule[],
  { now = new Date(), signal, pauseMs = PAUSE_MS }: RetentionOptions = {},
): Promise<RetentionOutcome[]> {
  const due = (await readRetention(db, rules, { count: false, now })).filter(({ isDue }) => isDue);
  await moveHorizons(db, due, { dryRun: false });
  const outcomes: RetentionOutcome[] = [];
  for (const entry of due) {
    if (signal?.aborted === true) break;
    outcomes.push({ ...entry, ...(await drop(db, entry, { pauseMs, signal })) });
  }
  return outcomes;
}

/** What would go, with rows and bytes. Nothing is changed. */
export async function planRetention(
  db: Pool,
  rules: readonly RetentionRule[],
  now = new Date(),
): Promise<{ entries: RetentionEntry[]; horizons: Horizons }> {
  const entries = await readRetention(db, rules, { count: true, now });
  const due = entries.filter(({ isDue }) => isDue);
  return { entries, horizons: await moveHorizons(db, due, { dryRun: true }) };
}

/** The end of the latest month that each feed begins after, or would; without those that stay as they are. */
export type Horizons = ReadonlyMap<RetainedFeed, Date>;

/** By the same reading of the clock as what is due. */
async function moveHorizons(
  db: Pool,
  due: readonly RetentionEntry[],
  { dryRun }: { dryRun: boolean },
): Promise<Horizons> {
  const horizons = new Map<RetainedFeed, Date>();
  for (const [feed, entries] of Map.groupBy(due, ({ rule }) => rule?.feed)) {
    const cutoff = entries[0]?.cutoff;
    if (!feed || !cutoff) continue;
    const ends = entries.flatMap(({ to }) => (to ? [to] : []));
    const end = await moveHorizon(db, feed, ends, { cutoff, dryRun });
    if (end) horizons.set(feed, end);
  }
  return horizons;
}

function cutoffOf(rule: RetentionRule | undefined, clock: Date, now: Date): Date | undefined {
  if (rule?.days === undefined) return undefined;
  return new Date(Math.min(clock.getTime(), now.getTime()) - rule.days * DAY_MS);
}

async function drop(
  db: Pool,
  { table, month }: RetentionEntry,
  { pauseMs, signal }: { pauseMs: number; signal: AbortSignal | undefined },
): Promise<Pick<RetentionOutcome, 'outcome'> & { heldBackBy: string | null }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const isDropped = await dropPartition(db, table, month ?? '');
      return { outcome: isDropped ? 'GAAR' : 'BORTE', heldBackBy: null };
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === HELD_BACK) return { outcome: 'HOLDES_IGJEN', heldBackBy: message };
      if (code !== LOCK_NOT_AVAILABLE) throw error;
      if (attempt === ATTEMPTS || signal?.aborted) return { outcome: 'OPPTATT', heldBackBy: 'somebody is in the way' };
      await wait(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
