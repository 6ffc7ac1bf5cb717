import { readMessage, UnusableError, type ExpectedAvtale, type StatedMessage } from './message.ts';
import type { ExpectedLife } from './phase.ts';

/**
 * What the source's messages come to, computed from the source contract alone. Written to be obvious, not fast, and with
 * nothing of the ingestor's code: it is what the ingestor is compared with.
 */

export interface PositionedSourceMessage {
  key: string | Buffer | null;
  value: string | Buffer | null;
  /** how many topics there have been of the name before the one that it lies on */
  epoch?: number;
  partition: number;
  offset: number;
  /** the timestamp of its record, ms since 1970; when absent, it was written just now, and nobody knows when */
  writtenAt?: number;
}

export interface Expected {
  /** wrongly registered ones too, which consumers do not see */
  avtaler: Map<string, ExpectedAvtale>;
  /** of each of the avtaler, what its phase needs beside it */
  lives: Map<string, ExpectedLife>;
  /** what was deleted, with the `sistEndret` that a message must be newer than; null when unknown */
  slettet: Map<string, string | null>;
  /** `felt` is the source's name; 'key' for the key, null for the message as a whole */
  parkert: { partisjon: number; offset: number; felt: string | null }[];
}

/**
 * The state after all of the messages, in whatever order they are given: their places decide. The same message may be
 * given more than once. `parkert` is in the order given.
 */
export function expected(messages: Iterable<PositionedSourceMessage>): Expected {
  const stated: (StatedMessage & Place)[] = [];
  const parked: Expected['parkert'] = [];
  for (const { key, value, epoch = 0, partition, offset, writtenAt } of messages) {
    try {
      stated.push({ ...readMessage(key, value, writtenAt ?? Date.now()), epoch, partition, offset, writtenAt });
    } catch (error) {
      if (!(error instanceof UnusableError)) throw error;
      parked.push({ partisjon: partition, offset, felt: error.field });
    }
  }
  const avtaler: Expected['avtaler'] = new Map();
  const lives: Expected['lives'] = new Map();
  const deleted: Expected['slettet'] = new Map();
  for (const [avtaleId, aboutIt] of Map.groupBy(stated, ({ avtaleId }) => avtaleId)) {
    const { avtale, life, sistEndret } = endState(aboutIt);
    if (avtale) avtaler.set(avtaleId, avtale);
    if (life) lives.set(avtaleId, life);
    if (!avtale) deleted.set(avtaleId, sistEndret);
  }
  return { avtaler, lives, slettet: deleted, parkert: parked };
}

interface Place {
  epoch: number;
  partition: number;
  offset: number;
  writtenAt: number | undefined;
}

/** Rule 3: what lies before what. */
function byPlace(a: Place, b: Place): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  if (a.partition === b.partition) return a.offset - b.offset;
  const [timeOfA, timeOfB] = [a.writtenAt ?? Number.NEGATIVE_INFINITY, b.writtenAt ?? Number.NEGATIVE_INFINITY];
  return timeOfA === timeOfB ? a.partition - b.partition : timeOfA - timeOfB;
}

interface State {
  /** undefined: deleted */
  avtale: ExpectedAvtale | undefined;
  life?: ExpectedLife | undefined;
  /** null: never known */
  sistEndret: string | null;
}

/** Rules 2 and 3, for the messages of one avtale. */
function endState(stated: (StatedMessage & Place)[]): State {
  const inOrder = stated.toSorted(byPlace);
  let now: State & { underTombstone: boolean } = { avtale: undefined, sistEndret: null, underTombstone: false };
  for (const statement of inOrder) {
    if (statement.type === 'GRAVSTEIN') {
      // It beats everything before it, and has no time itself: what comes must be newer than what it deleted.
      now = { avtale: undefined, sistEndret: now.sistEndret, underTombstone: true };
      continue;
    }
    const newer = now.sistEndret === null || statement.sistEndret > now.sistEndret;
    const equalAndLater = statement.sistEndret === now.sistEndret && !now.underTombstone;
    if (!newer && !equalAndLater) continue;
    now = {
      avtale: statement.type === 'AVTALE' ? statement.avtale : undefined,
      life: statement.type === 'AVTALE' ? livedOn(now.life, statement) : undefined,
      sistEndret: statement.sistEndret,
      underTombstone: false,
    };
  }
  return now;
}

function livedOn(
  before: ExpectedLife | undefined,
  { avtale, marks }: Extract<StatedMessage, { type: 'AVTALE' }>,
): ExpectedLife {
  return { everEntered: before?.everEntered === true || avtale.avtaleInngaatt !== null, ...marks };
}
