import type { Instant } from '@tiltak/resource';
import type { Avtale } from './fields.ts';
import type { Message } from './message.ts';
import type { PhaseMarks } from './phase.ts';

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
  /** the first place where its `sistEndret` was said, when another message of that time could lie in between */
  since?: Position | undefined;
}

/** What is known about an avtale, as far as ordering, visibility and change are concerned. */
export interface AvtaleState {
  /** null only under a tombstone for an avtale that was never seen */
  sistEndret: Instant | null;
  /** of the message that decided the state */
  position: Position;
  deleted: 'SLETTEMERKET' | 'GRAVSTEIN' | null;
  feilregistrert: boolean;
  /** fingerprint of the content, see `Content`; null for a deleted avtale */
  fingerprint: string | null;
  /** `avtaleInngaatt` was set in this version or one before it, since it was last erased */
  everEntered: boolean;
  /** null when unknown: stored before they were read, and no rebuild has read them since; or deleted */
  marks: PhaseMarks | null;
  memory?: OrderMemory | undefined;
}

/** A message that says when the avtale was changed. */
type Statement = Exclude<Message, { type: 'GRAVSTEIN' }>;

/** What a message comes to: it decides, or is only remembered, or is of no more use. */
type Verdict =
  | { type: 'DECIDES'; message: Statement; memory?: OrderMemory | undefined }
  | { type: 'BURIES'; tombstone: Position; sistEndret: Instant | null }
  | { type: 'IS_REMEMBERED'; state: AvtaleState }
  | { type: 'IS_OUTDATED' };

const IS_OUTDATED: Verdict = { type: 'IS_OUTDATED' };

/**
 * The ordering rule (rules 2 and 3 of the source contract). Newer `sistEndret` wins, equal goes to the later place, older
 * loses. A tombstone beats everything before it, and after one only content newer than what it deleted counts. What lies
 * before what, `comparePositions` says; in which order messages arrive makes no difference.
 */
function judge(message: Message, position: Position, stored: AvtaleState | undefined): Verdict {
  if (message.type === 'GRAVSTEIN') return judgeTombstone(message, position, stored);
  if (!stored) return { type: 'DECIDES', message };
  const sistEndret = sistEndretOf(message);
  const isNewer = stored.sistEndret === null || sistEndret > stored.sistEndret;
  const tombstone = lastTombstone(stored);
  if (tombstone && comparePositions(position, tombstone) < 0) {
    return judgeBuried(sistEndret, isNewer, tombstone, stored);
  }
  if (isNewer) return { type: 'DECIDES', message, memory: tombstone && { tombstone } };
  if (stored.deleted === 'GRAVSTEIN' || sistEndret !== stored.sistEndret) return IS_OUTDATED;
  const since = saidSince(stored);
  if (comparePositions(position, stored.position) > 0) {
    return { type: 'DECIDES', message, memory: remember(tombstone, since, position) };
  }
  if (comparePositions(position, since) >= 0 || isBeside(position, since)) return IS_OUTDATED;
  return { type: 'IS_REMEMBERED', state: { ...stored, memory: remember(tombstone, position, stored.position) } };
}

/** What lies before a tombstone says at most how new content must be to bring the avtale back. */
function judgeBuried(sistEndret: Instant, isNewer: boolean, tombstone: Position, stored: AvtaleState): Verdict {
  if (stored.deleted === 'GRAVSTEIN') {
    return isNewer ? { type: 'IS_REMEMBERED', state: { ...stored, sistEndret } } : IS_OUTDATED;
  }
  // What brought the avtale back was not newer than this, which was deleted.
  return isNewer || sistEndret === stored.sistEndret ? { type: 'BURIES', tombstone, sistEndret } : IS_OUTDATED;
}

/**
 * One of a full sync (`before`) spares what came after the sync had begun, and so everything in other partitions: it lies
 * beside what it deletes. For these it has no time, so that what comes from there later is after it.
 */
function judgeTombstone(
  { before }: Extract<Message, { type: 'GRAVSTEIN' }>,
  position: Position,
  stored: AvtaleState | undefined,
): Verdict {
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

function lastTombstone({ deleted, position, memory }: AvtaleState): Position | undefined {
  return deleted === 'GRAVSTEIN' ? position : memory?.tombstone;
}

function saidSince({ position, memory }: AvtaleState): Position {
  return memory?.since ?? position;
}

function remember(tombstone: Position | undefined, since: Position, position: Position): OrderMemory | undefined {
  const remembered = isBeside(since, position) ? undefined : since;
  return tombstone || remembered
    ? { ...(tombstone && { tombstone }), ...(remembered && { since: remembered }) }
    : undefined;
}

/** Nothing of another partition lies between two places of one partition that have the same time. */
function isBeside(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.partition === b.partition && a.writtenAt === b.writtenAt;
}

/** One line of the change feed. A reader needs to know that it must read again, or that it must forget. */
export interface Change {
  avtaleId: string;
  type: 'ENDRET' | 'SLETTET';
  reason: 'SLETTET' | 'FEILREGISTRERT' | null;
}

/** The content of an avtale in the form that a store wants it. */
export interface Content {
  /** equal for equal content, whatever process computes it */
  fingerprint: string;
}

export interface Version<C extends Content> extends Pick<AvtaleState, 'position' | 'everEntered' | 'marks'> {
  content: C;
}

/** What a sequence of messages about one avtale comes to. */
export interface Fold<C extends Content> {
  avtaleId: string;
  /** undefined when no message won */
  state: AvtaleState | undefined;
  /** when no message won: what is known, with what is to be remembered besides; undefined when nothing is */
  remembered: AvtaleState | undefined;
  /** the content in force; undefined when deleted, or when no message won */
  content: C | undefined;
  /** the history this sequence adds, oldest first; nothing from before an erasure */
  versions: Version<C>[];
  /** the history stored before this sequence must go */
  eraseHistory: boolean;
  /** of each message that deleted the avtale, also when a later one has brought it back */
  erasedAt: Position[];
  changes: Change[];
  /** messages by what became of them */
  outcomes: Record<Outcome, number>;
}

export type Outcome = 'TATT_INN' | 'UENDRET' | 'FORELDET' | 'SLETTET';

export interface PositionedMessage {
  message: Message;
  position: Position;
}

/**
 * Plays the messages for one avtale, in the order given, onto what is known about it. Playing them in one go or in
 * several gives the same, and playing them again gives nothing.
 */
export function foldMessages<C extends Content>(
  avtaleId: string,
  stored: AvtaleState | undefined,
  messages: readonly PositionedMessage[],
  encode: (avtale: Avtale) => C,
): Fold<C> {
  const fold: Fold<C> = {
    avtaleId,
    state: undefined,
    remembered: undefined,
    content: undefined,
    versions: [],
    eraseHistory: false,
    erasedAt: [],
    changes: [],
    outcomes: { TATT_INN: 0, UENDRET: 0, FORELDET: 0, SLETTET: 0 },
  };
  let current = stored;
  for (const { message, position } of messages) {
    const verdict = judge(message, position, current);
    switch (verdict.type) {
      case 'DECIDES':
        current =
          verdict.message.type === 'AVTALE'
            ? accept(fold, current, verdict.message, position, encode)
            : erase(fold, current, { position, deleted: 'SLETTEMERKET', sistEndret: verdict.message.sistEndret });
        current.memory = verdict.memory;
        break;
      case 'BURIES':
        current = erase(fold, current, {
          position: verdict.tombstone,
          deleted: 'GRAVSTEIN',
          sistEndret: verdict.sistEndret,
        });
        break;
      case 'IS_REMEMBERED':
        current = verdict.state;
        fold.outcomes.FORELDET++;
        break;
      case 'IS_OUTDATED':
        fold.outcomes.FORELDET++;
    }
  }
  const isWon = messages.length > fold.outcomes.FORELDET;
  if (isWon) fold.state = current;
  else if (current !== stored) fold.remembered = current;
  return fold;
}

function accept<C extends Content>(
  fold: Fold<C>,
  current: AvtaleState | undefined,
  { avtale, marks }: Extract<Message, { type: 'AVTALE' }>,
  position: Position,
  encode: (avtale: Avtale) => C,
): AvtaleState {
  const { avtaleId, sistEndret, feilregistrert } = avtale;
  const everEntered = (current?.everEntered ?? false) || avtale.avtaleInngaatt !== null;
  const content = encode(avtale);
  fold.content = content;
  // The source sends one save as several equal messages: only what differs is a version and a change.
  const isChanged = content.fingerprint !== current?.fingerprint || !sameMarks(current.marks, marks);
  fold.outcomes[isChanged ? 'TATT_INN' : 'UENDRET']++;
  if (isChanged) {
    fold.versions.push({ content, position, everEntered, marks });
    const change = changeFor(avtaleId, isVisible(current), feilregistrert);
    if (change) fold.changes.push(change);
  }
  return { sistEndret, position, deleted: null, feilregistrert, fingerprint: content.fingerprint, everEntered, marks };
}

/** That marks become known is no change: else the first resend after an upgrade would be one of every avtale. */
function sameMarks(known: PhaseMarks | null, marks: PhaseMarks): boolean {
  return known === null || (known.neverBegan === marks.neverBegan && known.fromArena === marks.fromArena);
}

function changeFor(avtaleId: string, wasVisible: boolean, feilregistrert: boolean): Change | undefined {
  if (!feilregistrert) return { avtaleId, type: 'ENDRET', reason: null };
  return wasVisible ? { avtaleId, type: 'SLETTET', reason: 'FEILREGISTRERT' } : undefined;
}

function erase(
  fold: Fold<Content>,
  current: AvtaleState | undefined,
  deletion: Pick<AvtaleState, 'position' | 'deleted' | 'sistEndret'>,
): AvtaleState {
  if (isVisible(current)) fold.changes.push({ avtaleId: fold.avtaleId, type: 'SLETTET', reason: 'SLETTET' });
  fold.eraseHistory = true;
  fold.erasedAt.push(deletion.position);
  fold.versions = [];
  fold.content = undefined;
  fold.outcomes.SLETTET++;
  return { ...deletion, feilregistrert: false, fingerprint: null, everEntered: false, marks: null };
}

function isVisible(state: AvtaleState | undefined): boolean {
  return state !== undefined && state.deleted === null && !state.feilregistrert;
}

function sistEndretOf(message: Statement): Instant {
  return message.type === 'AVTALE' ? message.avtale.sistEndret : message.sistEndret;
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
