import { judgeStatement, judgeTombstone, type Instant, type OrderState, type Position } from '@tiltak/resource';
import type { Avtale } from './fields.ts';
import type { Message } from './message.ts';
import type { PhaseMarks } from './phase.ts';

/** What is known about an avtale, as far as ordering, visibility and change are concerned. */
export interface AvtaleState extends OrderState {
  feilregistrert: boolean;
  /** fingerprint of the content, see `Content`; null for a deleted avtale */
  fingerprint: string | null;
  /** `avtaleInngaatt` was set in this version or one before it, since it was last erased */
  everEntered: boolean;
  /** null when unknown: stored before they were read, and no rebuild has read them since; or deleted */
  marks: PhaseMarks | null;
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
    const verdict =
      message.type === 'GRAVSTEIN'
        ? judgeTombstone(message.before, position, current)
        : judgeStatement(sistEndretOf(message), position, current);
    switch (verdict.type) {
      case 'DECIDES':
        current =
          message.type === 'AVTALE'
            ? accept(fold, current, message, position, encode)
            : erase(fold, current, {
                position,
                deleted: 'SLETTEMERKET',
                sistEndret: sistEndretOf(message as Statement),
              });
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

/** A message that says when the avtale was changed. */
type Statement = Exclude<Message, { type: 'GRAVSTEIN' }>;

function sistEndretOf(message: Statement): Instant {
  return message.type === 'AVTALE' ? message.avtale.sistEndret : message.sistEndret;
}
