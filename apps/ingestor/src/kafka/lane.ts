import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer } from 'kafkajs';
import { logger } from '@tiltak/platform';
import type { MessageBatch } from './batch.ts';
import type { Prepared } from './prepare-positions.ts';
import type { Lease } from './receive-buffers.ts';
import type { Piece, RecordSet, Room, UndecodableBatch } from './record-set.ts';

/** What a lane gives to be stored: a batch, or one that can't be read. It stays in the lane until `settle` says that it is stored. */
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
  /** what it has given and not heard of yet; held, whatever becomes of the lane meanwhile */
  private taken: { set: RecordSet; piece: Piece; lease: Lease | undefined }[] = [];
  private readonly end = new AbortController();
  private missed: { position: number | undefined; times: number } | undefined;
  /** where what waits begins, and where the next fetch must begin; undefined while it must be looked up */
  private begin: number | undefined;
  private expected: number | undefined;
  /** which topic it is read from; from before anything of it is fetched */
  readFrom: Omit<Prepared, 'positions'> | undefined;
  bytes = 0;
  private paused = false;
  /** Kafka no longer has what comes next */
  isOutOfRange = false;
  /** whether it waits for something else than its turn: it gives nothing to a group then */
  isAside = false;
  /** the number of the group that it was last in, and whether there was none left for it in the last one */
  turn = 0;
  foundNoRoom = false;
  /** since when it does not get on, ms since 1970, for what, and how often it was tried */
  stuck: { since: number; why: 'IKKE_LAGRET' | 'UDEKODBAR'; attempts: number } | undefined;

  constructor(
    private readonly consumer: Pick<Consumer, 'seek' | 'pause' | 'resume'>,
    readonly topic: string,
    readonly partition: number,
  ) {}

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

  /** Whether something waits that can be stored now. */
  get isReady(): boolean {
    return !this.isAside && this.taken.length === 0 && this.begin !== undefined && this.sets[0]?.isConfirmed === true;
  }

  /** Kafka is not asked for it. */
  get isPaused(): boolean {
    return this.paused;
  }

  set isPaused(paused: boolean) {
    if (this.paused === paused) return;
    this.paused = paused;
    const { topic, partition } = this;
    try {
      this.consumer[paused ? 'pause' : 'resume']([{ topic, partitions: [partition] }]);
    } catch (error) {
      logger.debug({ err: error, partisjon: partition }, 'Could not pause or resume');
    }
  }

  /** Has Kafka asked for what comes next. Fails while the consumer is being stopped: then nothing is fetched either. */
  seek(): void {
    const { topic, partition, expected } = this;
    try {
      if (expected !== undefined) this.consumer.seek({ topic, partition, offset: String(expected) });
    } catch (error) {
      logger.debug({ err: error, partisjon: partition }, 'Could not seek');
    }
  }

  close(): void {
    this.end.abort();
    this.drop();
  }

  /** It is to be read from there, whatever waits; from where somebody finds out, when undefined. */
  restart(position: number | undefined): void {
    this.drop();
    this.isOutOfRange = false;
    this.isAside = false;
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

  /** The lane's from now on, to hold and to release. */
  push(set: RecordSet): void {
    this.sets.push(set);
    this.bytes += set.bytes;
    this.expected = set.next;
  }

  /** What nobody has confirmed yet to be of the topic that is read. */
  get unconfirmed(): RecordSet[] {
    return this.sets.filter(({ isConfirmed }) => !isConfirmed);
  }

  /** To be fetched again. */
  dropUnconfirmed(): void {
    const dropped = this.unconfirmed;
    this.sets = this.sets.filter(({ isConfirmed }) => isConfirmed);
    for (const set of dropped) {
      this.bytes -= set.bytes;
      set.lease?.release();
    }
    if (dropped.length > 0) this.expected = this.sets.at(-1)?.next ?? this.begin;
  }

  /** Of the answers that what waits lies in: all of them are held for it. */
  get leases(): Lease[] {
    return this.sets.flatMap(({ lease }) => lease ?? []);
  }

  /** Keeps what waits, and nothing that others wait for. */
  detach(): void {
    for (const set of this.sets) set.detach();
  }

  /** What comes next; the same again until it is stored. Undefined when nothing waits. */
  load(room: Room): Load | undefined {
    const { begin: from, readFrom } = this;
    const last = this.sets.at(-1);
    if (from === undefined || !readFrom || !last) return undefined;
    let next = from;
    for (const set of this.sets) {
      if (!set.isConfirmed) break;
      const piece = set.take(next, room);
      if (piece.undecodable && this.taken.length > 0) break;
      const { lease } = set;
      lease?.hold();
      this.taken.push({ set, piece, lease });
      next = piece.next;
      if (next < set.next || room.bytes <= 0 || room.messages <= 0) break;
    }
    const messages = this.taken.flatMap(({ piece }) => piece.messages);
    const { topic, partition } = this;
    const batch = {
      ...{ topic, epoch: readFrom.epoch, partition, messages },
      ...{ fetchedFrom: from, nextOffset: next, endOffset: last.endOffset },
    };
    const undecodable = this.taken[0]?.piece.undecodable;
    return undecodable ? { batch, undecodable } : { batch };
  }

  /**
   * Nobody reads any more what it gave last. When it is not stored, it is read again, and until then takes no memory.
   *
   * @returns whether the lane still holds what it gave
   */
  settle(isStored: boolean): boolean {
    const { taken } = this;
    const isHeld = taken.every(({ set }) => this.sets.includes(set));
    this.taken = [];
    for (const { set, piece, lease } of taken) {
      if (isStored && isHeld) {
        set.advance(piece);
        this.begin = piece.next;
      }
      lease?.release();
    }
    while (this.sets[0]?.isRead) {
      const [read] = this.sets.splice(0, 1);
      this.bytes -= read?.bytes ?? 0;
      read?.lease?.release();
    }
    return isHeld;
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
    for (const { lease } of this.sets) lease?.release();
    this.sets = [];
    this.bytes = 0;
  }
}
