import type { Instant } from './fields.ts';

/** The place of a message, see `comparePositions`. Offsets are int64 in Kafka; a number is exact to 2^53. */
export interface Position {
  /** of the topic: one that is made anew is the next */
  epoch: number;
  partition: number;
  offset: number;
  /** the timestamp of its record, ms since 1970; absent when unknown */
  writtenAt?: number | undefined;
  /** of a tombstone of a full sync: the offset of its partition that it does not delete beyond; says nothing of the place */
  deletesBefore?: number | undefined;
}

/**
 * What must be remembered of messages that no longer decide anything, so that any order of arrival ends in the same
 * state: an avtale that has moved between partitions is read in the order of none of its clocks.
 */
export interface OrderMemory {
  /** of an avtale that has come back: the last tombstone before what it says now */
  tombstone?: Position | undefined;
  /** the first place where its `sistEndret` was said, when that is another */
  since?: Position | undefined;
}

/** What is known of one of a resource, as far as the order of its messages is concerned. */
export interface OrderState {
  /** null only under a tombstone for what was never seen */
  sistEndret: Instant | null;
  /** of the message that decided the state */
  position: Position;
  deleted: 'SLETTEMERKET' | 'GRAVSTEIN' | null;
  memory?: OrderMemory | undefined;
}

/** What a message comes to: it decides, or is only remembered, or is of no more use. */
export type Verdict<S extends OrderState> =
  | { type: 'DECIDES'; memory?: OrderMemory | undefined }
  | { type: 'BURIES'; tombstone: Position; sistEndret: Instant | null }
  | { type: 'IS_REMEMBERED'; state: S }
  | { type: 'IS_OUTDATED' };

const IS_OUTDATED = { type: 'IS_OUTDATED' } as const;

/**
 * The ordering rule (rules 2 and 3 of the source contract). Newer `sistEndret` wins, equal goes to the later place, older
 * loses. A tombstone beats everything before it, and after one only content newer than what it deleted counts. What lies
 * before what, `comparePositions` says; in which order messages arrive makes no difference, in one partition or over several,
 * but for tombstones of full syncs (`before`): these are judged by what is known when they come.
 */
export function judgeStatement<S extends OrderState>(
  sistEndret: Instant,
  position: Position,
  stored: S | undefined,
): Verdict<S> {
  if (!stored) return { type: 'DECIDES' };
  const isNewer = stored.sistEndret === null || sistEndret > stored.sistEndret;
  const tombstone = lastTombstone(stored);
  if (tombstone && isNewer && isSpared(position, tombstone)) return { type: 'DECIDES' };
  if (tombstone && comparePositions(position, tombstone) < 0) {
    return judgeBuried(sistEndret, isNewer, tombstone, stored);
  }
  if (isNewer) return { type: 'DECIDES', memory: tombstone && { tombstone } };
  if (stored.deleted === 'GRAVSTEIN' || sistEndret !== stored.sistEndret) return IS_OUTDATED;
  const since = saidSince(stored);
  if (comparePositions(position, stored.position) > 0) {
    return { type: 'DECIDES', memory: remember(tombstone, since, position) };
  }
  if (comparePositions(position, since) >= 0) return IS_OUTDATED;
  return { type: 'IS_REMEMBERED', state: { ...stored, memory: remember(tombstone, position, stored.position) } };
}

/** What lies before a tombstone says at most how new content must be to bring it back. */
function judgeBuried<S extends OrderState>(
  sistEndret: Instant,
  isNewer: boolean,
  tombstone: Position,
  stored: S,
): Verdict<S> {
  if (stored.deleted === 'GRAVSTEIN') {
    return isNewer ? { type: 'IS_REMEMBERED', state: { ...stored, sistEndret } } : IS_OUTDATED;
  }
  // What brought it back was not newer than this, which was deleted.
  return isNewer || sistEndret === stored.sistEndret ? { type: 'BURIES', tombstone, sistEndret } : IS_OUTDATED;
}

/**
 * One of a full sync (`before`) spares what came after the sync had begun, and so everything in other partitions: it lies
 * beside what it deletes. For these it has no time, so that what comes from there later is after it.
 */
export function judgeTombstone<S extends OrderState>(
  before: number | undefined,
  position: Position,
  stored: S | undefined,
): Verdict<S> {
  const sistEndret = stored?.sistEndret ?? null;
  if (before !== undefined) {
    const deletes =
      !stored || (comparePositions(position, stored.position) > 0 && isBefore(stored.position, position, before));
    const tombstone = { ...position, writtenAt: undefined, deletesBefore: before };
    return deletes ? { type: 'BURIES', tombstone, sistEndret } : IS_OUTDATED;
  }
  const last = stored && lastTombstone(stored);
  if (last && comparePositions(position, last) <= 0) return IS_OUTDATED;
  if (!stored || stored.deleted === 'GRAVSTEIN' || comparePositions(position, saidSince(stored)) > 0) {
    return { type: 'BURIES', tombstone: position, sistEndret };
  }
  return { type: 'IS_REMEMBERED', state: { ...stored, memory: { ...stored.memory, tombstone: position } } };
}

function lastTombstone({ deleted, position, memory }: OrderState): Position | undefined {
  return deleted === 'GRAVSTEIN' ? position : memory?.tombstone;
}

function saidSince({ position, memory }: OrderState): Position {
  return memory?.since ?? position;
}

function remember(tombstone: Position | undefined, since: Position, position: Position): OrderMemory | undefined {
  const remembered = isSamePlace(since, position) ? undefined : since;
  return tombstone || remembered
    ? { ...(tombstone && { tombstone }), ...(remembered && { since: remembered }) }
    : undefined;
}

/** Said before a tombstone of a full sync, which does not reach to there. Then it has deleted nothing. */
function isSpared({ epoch, partition, offset }: Position, tombstone: Position): boolean {
  const { deletesBefore } = tombstone;
  if (deletesBefore === undefined || epoch !== tombstone.epoch || partition !== tombstone.partition) return false;
  return offset >= deletesBefore && offset < tombstone.offset;
}

export function isSamePlace(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.partition === b.partition && a.offset === b.offset;
}

/** Before the offset of the partition, as the tombstone beside it says. */
function isBefore(stored: Position, { epoch, partition }: Position, offset: number): boolean {
  if (stored.epoch !== epoch) return stored.epoch < epoch;
  return stored.partition === partition && stored.offset < offset;
}

/**
 * Negative, zero or positive: what lies before what. In one partition by offset. An avtale moves to another partition when
 * partitions are added: between these by the time of the record, then by partition; an unknown time is before every known
 * one. Everything of a topic that was made anew comes after everything of the old one.
 */
export function comparePositions(a: Position, b: Position): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  if (a.partition === b.partition) return a.offset - b.offset;
  return (a.writtenAt ?? -1) - (b.writtenAt ?? -1) || a.partition - b.partition;
}
