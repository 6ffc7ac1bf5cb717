import type { ResourceMessage, ResourceValues } from './message.ts';
import { judgeStatement, judgeTombstone, type OrderState, type Position } from './order.ts';

/** What is known of one of a resource. */
export interface ResourceState extends OrderState {
  /** of the content; null when it is deleted */
  fingerprint: string | null;
}

export interface PositionedResourceMessage {
  message: ResourceMessage;
  position: Position;
}

/** What a sequence of messages about one comes to: as `Fold` of an avtale. */
export interface ResourceFold<C> {
  key: string;
  /** undefined when no message won */
  state: ResourceState | undefined;
  /** when no message won: what is known, with what is to be remembered besides; undefined when nothing is */
  remembered: ResourceState | undefined;
  /** the content in force; undefined when deleted, or when no message won */
  content: C | undefined;
  /** the history this sequence adds, oldest first; nothing from before an erasure */
  versions: { content: C; position: Position }[];
  /** the history stored before this sequence must go */
  eraseHistory: boolean;
  /** of each message that deleted it, also when a later one has brought it back */
  erasedAt: Position[];
  /** lines of its change feed */
  changes: ('ENDRET' | 'SLETTET')[];
  outcomes: Record<'TATT_INN' | 'UENDRET' | 'FORELDET' | 'SLETTET', number>;
}

/**
 * Plays the messages for one, in the order given, onto what is known about it. By the ordering rule that avtaler have,
 * so in one go or in several, and in whatever order partitions are read, it comes to the same.
 */
export function foldResource<C extends { fingerprint: string }>(
  key: string,
  stored: ResourceState | undefined,
  messages: readonly PositionedResourceMessage[],
  encode: (values: ResourceValues) => C,
): ResourceFold<C> {
  const fold: ResourceFold<C> = {
    key,
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
        : judgeStatement(message.sistEndret, position, current);
    if (verdict.type === 'IS_OUTDATED' || verdict.type === 'IS_REMEMBERED') {
      if (verdict.type === 'IS_REMEMBERED') current = verdict.state;
      fold.outcomes.FORELDET++;
    } else if (verdict.type === 'BURIES') {
      const { tombstone, sistEndret } = verdict;
      current = erase(fold, current, { position: tombstone, deleted: 'GRAVSTEIN', sistEndret, fingerprint: null });
    } else if (message.type === 'INNHOLD') {
      current = { ...accept(fold, current, encode(message.values), position), sistEndret: message.sistEndret };
      current.memory = verdict.memory;
    } else if (message.type === 'SLETTET') {
      const { sistEndret } = message;
      current = erase(fold, current, { position, deleted: 'SLETTEMERKET', sistEndret, fingerprint: null });
      current.memory = verdict.memory;
    }
  }
  if (messages.length > fold.outcomes.FORELDET) fold.state = current;
  else if (current !== stored) fold.remembered = current;
  return fold;
}

function accept<C extends { fingerprint: string }>(
  fold: ResourceFold<C>,
  current: ResourceState | undefined,
  content: C,
  position: Position,
): Omit<ResourceState, 'sistEndret'> {
  const { fingerprint } = content;
  fold.content = content;
  const isChanged = fingerprint !== current?.fingerprint;
  fold.outcomes[isChanged ? 'TATT_INN' : 'UENDRET']++;
  if (isChanged) {
    fold.versions.push({ content, position });
    fold.changes.push('ENDRET');
  }
  return { position, deleted: null, fingerprint };
}

function erase(fold: ResourceFold<unknown>, current: ResourceState | undefined, deleted: ResourceState): ResourceState {
  if (current?.deleted === null) fold.changes.push('SLETTET');
  fold.eraseHistory = true;
  fold.erasedAt.push(deleted.position);
  fold.versions = [];
  fold.content = undefined;
  fold.outcomes.SLETTET++;
  return { ...deleted };
}
