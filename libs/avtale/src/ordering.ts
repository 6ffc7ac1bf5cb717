import type { Avtale, Instant } from './fields.ts';
import type { Message } from './message.ts';
import type { PhaseMarks } from './phase.ts';

/** Where on the topic a message lies. Offsets are int64 in Kafka; a number is exact to 2^53. */
export interface Position {
  partition: number;
  offset: number;
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
}

/**
 * The ordering rule (rules 2 and 3 of the source contract): does `incoming` replace what is known?
 *
 * Newer `sistEndret` wins, equal goes to the later place, older loses. A tombstone beats everything before it, and
 * after one only content newer than what it deleted counts. Places in different partitions – an avtale moves when the
 * partition count changes – are ordered by partition, so that every order of arrival ends in the same state. A tombstone
 * of a full sync spares what came after the sync had begun (`before`).
 */
export function supersedes(incoming: Message, position: Position, stored: AvtaleState | undefined): boolean {
  if (!stored) return true;
  const isLater = comparePositions(position, stored.position) > 0;
  if (incoming.type === 'GRAVSTEIN') {
    return isLater && (incoming.before === undefined || isBefore(stored.position, position.partition, incoming.before));
  }

  const sistEndret = sistEndretOf(incoming);
  const isNewer = stored.sistEndret === null || sistEndret > stored.sistEndret;
  if (stored.deleted === 'GRAVSTEIN') return isLater && isNewer;
  return isNewer || (sistEndret === stored.sistEndret && isLater);
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
  /** undefined when no message won: nothing to store */
  state: AvtaleState | undefined;
  /** the content in force; undefined when deleted, or when no message won */
  content: C | undefined;
  /** the history this sequence adds, oldest first; nothing from before an erasure */
  versions: Version<C>[];
  /** the history stored before this sequence must go */
  eraseHistory: boolean;
  /** of the last message that deleted the avtale, also when a later one has brought it back */
  erasedAt: Position | undefined;
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
    content: undefined,
    versions: [],
    eraseHistory: false,
    erasedAt: undefined,
    changes: [],
    outcomes: { TATT_INN: 0, UENDRET: 0, FORELDET: 0, SLETTET: 0 },
  };
  let current = stored;
  for (const { message, position } of messages) {
    if (!supersedes(message, position, current)) {
      fold.outcomes.FORELDET++;
      continue;
    }
    current =
      message.type === 'AVTALE'
        ? accept(fold, current, message, position, encode)
        : erase(fold, current, message, position);
    fold.state = current;
  }
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
  message: Exclude<Message, { type: 'AVTALE' }>,
  position: Position,
): AvtaleState {
  if (isVisible(current)) fold.changes.push({ avtaleId: message.avtaleId, type: 'SLETTET', reason: 'SLETTET' });
  fold.eraseHistory = true;
  fold.erasedAt = position;
  fold.versions = [];
  fold.content = undefined;
  fold.outcomes.SLETTET++;
  const tombstone = message.type === 'GRAVSTEIN';
  return {
    sistEndret: tombstone ? (current?.sistEndret ?? null) : message.sistEndret,
    position,
    deleted: tombstone ? 'GRAVSTEIN' : 'SLETTEMERKET',
    feilregistrert: false,
    fingerprint: null,
    everEntered: false,
    marks: null,
  };
}

function isVisible(state: AvtaleState | undefined): boolean {
  return state !== undefined && state.deleted === null && !state.feilregistrert;
}

function sistEndretOf(message: Exclude<Message, { type: 'GRAVSTEIN' }>): Instant {
  return message.type === 'AVTALE' ? message.avtale.sistEndret : message.sistEndret;
}

function isBefore(stored: Position, partition: number, offset: number): boolean {
  return stored.partition === partition && stored.offset < offset;
}

/** Negative, zero or positive, by partition and then offset. */
export function comparePositions(a: Position, b: Position): number {
  return a.partition - b.partition || a.offset - b.offset;
}
