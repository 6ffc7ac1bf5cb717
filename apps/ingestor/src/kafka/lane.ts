import { setTimeout as wait } from 'node:timers/promises';
import type { MessageBatch } from './batch.ts';
import type { Prepared } from './prepare-positions.ts';
import type { Piece, RecordSet, UndecodableBatch } from './record-set.ts';

/** As much as is worth one transaction. */
const PIECE_BYTES = 2 * 1024 * 1024;
const PIECE_MESSAGES = 5_000;

/** What a lane gives to be stored: a batch, or one that can't be read. It stays in the lane until `store` says that it is stored. */
export interface Load {
  batch: MessageBatch;
  /** one that can't be read: the batch is what is to be done without it, nothing, and the position after it */
  undecodable?: UndecodableBatch;
}

/**
 * One partition of an assignment: what has been fetched of it and waits to be stored, without a hole between. It ends
 * with the assignment; another begins with the next.
 */
export class Lane {
  private sets: RecordSet[] = [];
  private taken: Piece[] = [];
  private readonly end = new AbortController();
  private missed: { position: number | undefined; times: number } | undefined;
  /** where what waits begins, and where the next fetch must begin; undefined while it must be looked up */
  private begin: number | undefined;
  private expected: number | undefined;
  /** which topic it is read from; from before anything of it is fetched */
  readFrom: Omit<Prepared, 'positions'> | undefined;
  bytes = 0;
  /** whether Kafka is asked for it */
  isPaused = false;
  /** Kafka no longer has what comes next */
  isOutOfRange = false;
  /** whether somebody stores what it gives, and until when */
  isWorked = false;
  work: Promise<void>;
  /** since when it does not get on, ms since 1970, for what, and how often it was tried */
  stuck: { since: number; why: 'IKKE_LAGRET' | 'UDEKODBAR'; attempts: number } | undefined;

  /** @param before until when something of the partition goes on that began in the assignment before */
  constructor(
    readonly topic: string,
    readonly partition: number,
    before: Promise<void> = Promise.resolve(),
  ) {
    this.work = before;
  }

  get isClosed(): boolean {
    return this.end.signal.aborted;
  }

  get position(): number | undefined {
    return this.begin;
  }

  get fetchFrom(): number | undefined {
    return this.expected;
  }

  get isEmpty(): boolean {
    return this.sets.length === 0;
  }

  close(): void {
    this.end.abort();
    this.drop();
  }

  /** It is to be read from there, whatever waits; from where somebody finds out, when undefined. */
  restart(position: number | undefined): void {
    this.drop();
    this.isOutOfRange = false;
    this.begin = position;
    this.expected = position;
  }

  /** How many times in a row Kafka has said that it does not have this position. */
  countMissed(): number {
    const { begin: position, missed } = this;
    const times = missed && missed.position === position ? missed.times + 1 : 1;
    this.missed = { position, times };
    return times;
  }

  push(set: RecordSet): void {
    const own = set.compact();
    this.sets.push(own);
    this.bytes += own.bytes;
    this.expected = own.next;
  }

  /** What comes next; the same again until it is stored. Undefined when nothing waits. */
  load(): Load | undefined {
    const { begin: from, readFrom } = this;
    const last = this.sets.at(-1);
    if (from === undefined || !readFrom || !last) return undefined;
    const room = { bytes: PIECE_BYTES, messages: PIECE_MESSAGES };
    this.taken = [];
    let next = from;
    for (const set of this.sets) {
      const piece = set.take(next, room);
      if (piece.undecodable && this.taken.length > 0) break;
      this.taken.push(piece);
      next = piece.next;
      if (next < set.next || room.bytes <= 0 || room.messages <= 0) break;
    }
    const messages = this.taken.flatMap((piece) => piece.messages);
    const { topic, partition } = this;
    const batch = {
      ...{ topic, epoch: readFrom.epoch, partition, messages },
      ...{ fetchedFrom: from, nextOffset: next, endOffset: last.endOffset },
    };
    const [{ undecodable } = {}] = this.taken;
    return undecodable ? { batch, undecodable } : { batch };
  }

  /** What it gave last is stored. */
  stored(): void {
    for (const [index, piece] of this.taken.entries()) {
      this.sets[index]?.advance(piece);
      this.begin = piece.next;
    }
    this.taken = [];
    while (this.sets[0]?.isRead) this.bytes -= this.sets.shift()?.bytes ?? 0;
  }

  /** What it gave last is not stored: it is read again, and until then takes no memory. */
  release(): void {
    this.taken = [];
  }

  /** For that long, or until the lane is closed. */
  async pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.end.signal }).catch(() => undefined);
  }

  /** What somebody else may never answer is not waited for longer than the lane lives. */
  unlessClosed<T>(work: Promise<T>): Promise<T | undefined> {
    const { signal } = this.end;
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const close = (): void => resolve(undefined);
      signal.addEventListener('abort', close, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', close));
    });
  }

  private drop(): void {
    this.sets = [];
    this.taken = [];
    this.bytes = 0;
  }
}
