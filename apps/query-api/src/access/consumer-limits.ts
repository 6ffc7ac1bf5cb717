import { PROBLEMS, Problem } from '@tiltak/platform';
import { Shares } from '../shared/shares.ts';

/** Exports that a process has connections for, and those of them that one consumer can have. */
export const MAX_EXPORTS = 4;
const MAX_EXPORTS_EACH = 2;

/** Readers of the change feed that a process has room for, and those of them that one consumer can have. */
export const MAX_WAITING_READERS = 4_000;
const MAX_WAITING_READERS_EACH = 1_000;

/**
 * What one consumer can have under way at the same time, so that the others have what is theirs: in all processes together,
 * as well as they know of each other (`SharedLimits`).
 */
export class ConsumerLimits {
  /** requests of any kind, but for readers while they wait */
  readonly lookups: Shares;
  readonly exports = new Shares(MAX_EXPORTS_EACH);
  /** of the change feed: they share its polls, and each holds little more than its connection to us */
  readonly waitingReaders: Shares;

  /** @param connections that look-ups share */
  constructor(connections: number) {
    this.lookups = new Shares(connections * 50);
    this.waitingReaders = new Shares(Math.min(connections * 100, MAX_WAITING_READERS_EACH));
  }
}

/** @param limit «2 exports» */
export function atOnceProblem(limit: string, retryAfter = 1): Problem {
  return new Problem(PROBLEMS.FOR_MANGE, `A consumer can have ${limit} under way at the same time`, { retryAfter });
}
