import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { logger } from '@tiltak/platform';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { firstValueFrom, isObservable } from 'rxjs';
import { metrics } from '../metrics.ts';
import type { MessageBatch, Outcome } from './batch.ts';
import { gatherGroup, type Loaded } from './group.ts';
import { fetchedFrom, fetchedOf, withRecordSets } from './kafkajs-patch.ts';
import { Lane } from './lane.ts';
import type { Prepared } from './prepare-positions.ts';
import type { Lease } from './receive-buffers.ts';
import type { UndecodableBatch } from './record-set.ts';

export interface ConsumerOptions {
  topic: string;
  /** the `@MessagePattern` of the handler */
  pattern: string;
  groupId: string;
  /** else it reads beside the stream: no metric tells of it, and a partition without a position is not read */
  isStream: boolean;
}

/** Where positions are kept. */
export interface PositionStore {
  /** The stored positions of the partitions, made sure to exist on the topic. */
  prepare: (partitions: number[]) => Promise<Prepared>;
  /** The id of the topic that the partition's leader has now. */
  readTopicId: (partition: number) => Promise<string>;
  /**
   * Notes that this batch keeps the partition from getting on, unless the position is past it by now.
   *
   * @returns the position
   */
  stall?: (place: Pick<MessageBatch, 'epoch' | 'partition'>, batch: UndecodableBatch) => Promise<number | undefined>;
}

/** The position that a handler answers with when it can't use the one a batch was read from. */
export const UNKNOWN_POSITION = -1;

type Handler = MessageHandler<readonly MessageBatch[], undefined, readonly Outcome[]>;

/** What waits to be stored, of all partitions, before nothing more is fetched. */
const QUEUE_BYTES = 12 * 1024 * 1024;
const MIN_SHARE_BYTES = 256 * 1024;
/** What waits lies in the answers that it came with: so much memory may these take, also for little that waits. */
const ANSWER_BYTES = 16 * 1024 * 1024;
/** Kafka hears of what is stored this often; nobody goes on from there, but its tools show it. */
const COMMIT_MS = 5_000;
/** A partition that is held looks this often whether somebody has let it go on. */
const LOOK_MS = 1_000;
const MAX_STALL_MS = 30_000;
/** Without an answer from Kafka for so long, a consumer does not consume: the group may be joining for ever. */
const SILENT_MS = 60_000;

/**
 * A Nest transport that hands groups of batches to one `@MessagePattern` handler: what has gathered in all partitions while
 * the group before was being stored, at most one batch of each. The handler stores them and answers with the position to go
 * on from for each. Its store, not Kafka, decides the position: on assignment the consumer seeks to it, and an answer other
 * than the batch's end is a seek.
 *
 * Fetching only fills a queue, so the membership of the group never waits for the store. Each partition has a lane in it: a
 * batch that is not stored is tried again, for ever, with back-off, and one that can't be read is held, while the other
 * partitions go on. Nothing is skipped because something else is down.
 *
 * The messages lie in memory that Kafka's next answers are received into when the handler has answered: who keeps bytes
 * longer copies them.
 */
export class BatchConsumer extends Server implements CustomTransportStrategy {
  private consumer: Consumer | undefined;
  private stopped = false;
  private member = false;
  private heardAt = 0;
  private lanes = new Map<number, Lane>();
  /** the group that is being stored, and those that follow it until nothing waits */
  private storing: Promise<void> | undefined;
  private storedAt = Number.NEGATIVE_INFINITY;
  private turn = 0;
  /** what goes on for single lanes */
  private readonly asides = new Set<Promise<void>>();
  private readonly toCommit = new Map<number, number>();
  private commits: NodeJS.Timeout | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly options: ConsumerOptions,
    private readonly store: PositionStore,
  ) {
    super();
  }

  /** Returns at once; a broker that is away is waited for in the background. */
  listen(callback: () => void): void {
    // So that one that never hears anything is seen too.
    if (this.options.isStream) metrics.lastFetch.set({ topic: this.options.topic }, Date.now() / 1_000);
    void this.consume();
    callback();
  }

  /** Finishes what is being stored; what waits is fetched again by the next owner. */
  async close(): Promise<void> {
    this.stopped = true;
    clearInterval(this.commits);
    const { lanes } = this;
    for (const lane of lanes.values()) this.end(lane);
    await Promise.all([this.storing, ...this.asides]);
    await this.commit();
    await this.consumer?.disconnect();
  }

  /** Whether this process is a member of the consumer group, and gets answers. */
  get isMember(): boolean {
    return this.member && Date.now() - this.heardAt < SILENT_MS;
  }

  /** How many partitions the group has given it. */
  get assigned(): number {
    return this.lanes.size;
  }

  /** Until nothing waits to be stored, but what is held; undefined when nothing does. */
  get underWay(): Promise<void> | undefined {
    return this.storing;
  }

  /** By `performance.now()`. */
  get lastUnderWay(): number {
    return this.storedAt;
  }

  on(): void {
    throw new Error('This transport has no events');
  }

  unwrap<T>(): T {
    return this.consumer as T;
  }

  private async consume(): Promise<void> {
    const { topic, groupId } = this.options;
    clearInterval(this.commits);
    this.commits = setInterval(() => void this.commit(), COMMIT_MS).unref();
    for (let attempt = 0; !this.stopped; attempt++) {
      const consumer = this.createConsumer(groupId);
      this.consumer = consumer;
      try {
        await withRecordSets(async () => {
          await consumer.connect();
          await consumer.subscribe({ topic, fromBeginning: true });
          await consumer.run({
            // Kafka hears of what is stored, and of nothing else.
            autoCommit: false,
            eachBatchAutoResolve: false,
            eachBatch: (payload) => {
              this.receive(consumer, payload);
              return Promise.resolve();
            },
          });
        });
        return;
      } catch (error) {
        logger.warn({ err: error, topic }, 'Could not start consuming; trying again');
        await consumer.disconnect().catch(() => undefined);
        await wait(backoffMs(attempt));
      }
    }
  }

  private createConsumer(groupId: string): Consumer {
    const consumer = this.kafka.consumer({
      groupId,
      maxBytesPerPartition: 2 * 1024 * 1024,
      maxBytes: 4 * 1024 * 1024,
      // For so long too a partition waits that could be fetched again: kafkajs looks no earlier.
      maxWaitTimeInMs: 250,
      // A partition that is added is seen, and the group told, within this.
      metadataMaxAge: 5_000,
      // A process that was killed holds its partitions until the session ends.
      sessionTimeout: 10_000,
      heartbeatInterval: 1_000,
      rebalanceTimeout: 60_000,
      retry: { initialRetryTime: 300, maxRetryTime: 5_000, retries: 8 },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.member = true;
      this.heard();
      this.assign(consumer, payload.memberAssignment[this.options.topic] ?? []);
    });
    consumer.on(consumer.events.FETCH, () => this.heard());
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.member = false;
      this.assign(consumer, []);
      const level = payload.restart ? 'warn' : 'error';
      logger[level]({ err: payload.error, startesPaaNytt: payload.restart }, 'The Kafka consumer stopped');
      // kafkajs itself starts again after what it considers passing.
      if (!payload.restart && !this.stopped) void this.consume();
    });
    return consumer;
  }

  private heard(): void {
    this.heardAt = Date.now();
    const { isStream, topic } = this.options;
    if (isStream) metrics.lastFetch.set({ topic }, this.heardAt / 1_000);
  }

  /** Before anything is fetched of the assignment: what was queued of the one before is another's to store, perhaps. */
  private assign(consumer: Consumer, partitions: number[]): void {
    const { topic, isStream } = this.options;
    for (const lane of this.lanes.values()) this.end(lane);
    if (this.stopped) return;
    this.lanes = new Map(partitions.map((partition) => [partition, new Lane(consumer, topic, partition)]));
    this.toCommit.clear();
    if (isStream) metrics.assigned.set({ topic }, partitions.length);
    const lanes = [...this.lanes.values()];
    for (const lane of lanes) lane.isPaused = true;
    void this.locate(lanes);
  }

  private end(lane: Lane): void {
    lane.close();
    this.tellStuck(lane, 0);
  }

  /** Asks the store where the lanes go on, for as long as it takes. */
  private async locate(lanes: Lane[]): Promise<void> {
    let left = lanes;
    for (let attempt = 0; left.length > 0; attempt++) {
      try {
        const { positions, ...readFrom } = await this.store.prepare(left.map(({ partition }) => partition));
        for (const lane of left) {
          lane.readFrom = readFrom;
          this.start(lane, positions.get(lane.partition));
        }
        if (!this.options.isStream) return;
        left = left.filter((lane) => !lane.isClosed && lane.position === undefined);
        if (left.length > 0) throw new Error('There is no stored position');
      } catch (error) {
        left = left.filter((lane) => !lane.isClosed);
        if (left.length === 0) return;
        logger.warn({ err: error }, 'Could not find the stored positions; trying again');
        await wait(backoffMs(attempt));
      }
    }
  }

  private start(lane: Lane, position: number | undefined): void {
    if (lane.isClosed || position === undefined) return;
    lane.restart(position);
    lane.seek();
    lane.isPaused = false;
  }

  /** Of what Kafka answered; what is not taken is fetched again. */
  private receive(consumer: Consumer, { batch, isStale, resolveOffset }: EachBatchPayload): void {
    const lane = this.lanes.get(batch.partition);
    const fetched = fetchedOf(batch);
    const isWanted =
      lane &&
      !lane.isClosed &&
      !this.stopped &&
      consumer === this.consumer &&
      !isStale() &&
      !lane.isPaused &&
      lane.fetchFrom !== undefined;
    if (isWanted && fetched === 'OUT_OF_RANGE') {
      lane.isPaused = true;
      lane.isOutOfRange = true;
      if (lane.isEmpty) this.aside(this.miss(lane));
    } else if (isWanted && fetched !== 'OUT_OF_RANGE' && this.takes(lane, fetchedFrom(batch))) {
      lane.push(fetched);
      resolveOffset(String(fetched.next - 1));
      // What does not get on needs nothing to follow.
      lane.isPaused = lane.bytes >= this.share || this.isFull || lane.stuck !== undefined;
      this.aside(this.confirm(lane));
    } else if (fetched !== 'OUT_OF_RANGE') fetched.lease?.release();
  }

  private takes(lane: Lane, from: number): boolean {
    const isNext = from === lane.fetchFrom;
    if (!isNext) lane.seek();
    else if (this.isFull) lane.isPaused = true;
    return isNext && !lane.isPaused;
  }

  private get share(): number {
    return Math.max(MIN_SHARE_BYTES, QUEUE_BYTES / this.lanes.size);
  }

  private get isFull(): boolean {
    return !this.hasRoom(1);
  }

  /** @param part of the queue that may be in use; what partitions hold that do not get on is no part of it */
  private hasRoom(part: number): boolean {
    let [limit, queued] = [QUEUE_BYTES, 0];
    const leases = new Set<Lease>();
    for (const lane of this.lanes.values()) {
      if (lane.stuck) limit -= lane.bytes;
      else queued += lane.bytes;
      for (const lease of lane.leases) leases.add(lease);
    }
    const answers = [...leases].reduce((sum, { bytes }) => sum + bytes.length, 0);
    return queued < limit * part && answers < (ANSWER_BYTES * (1 + part)) / 2;
  }

  private aside(work: Promise<void>): void {
    this.asides.add(work);
    void work.finally(() => this.asides.delete(work));
  }

  /**
   * The topic may have been made anew before this was fetched: if it is the same before and after, so it was then. Where
   * Kafka can't tell, it is fetched again.
   */
  private async confirm(lane: Lane): Promise<void> {
    const sets = lane.unconfirmed;
    const id = await lane.unlessClosed(
      this.store.readTopicId(lane.partition).catch((error: unknown) => {
        logger.warn({ err: error, partisjon: lane.partition }, 'Could not ask Kafka for the topic; trying again');
        return undefined;
      }),
    );
    if (lane.isClosed || !lane.unconfirmed.some((set) => sets.includes(set))) return;
    if (id === undefined) {
      lane.dropUnconfirmed();
      if (lane.isEmpty) this.note(lane, 'IKKE_LAGRET');
      lane.isPaused = true;
      this.makeRoom();
      await lane.pause(backoffMs(lane.stuck?.attempts ?? 0));
      if (lane.isClosed || !lane.isPaused) return;
      lane.seek();
      lane.isPaused = false;
    } else if (id !== lane.readFrom?.topicId) {
      this.getsOn(lane);
      lane.restart(undefined);
      void this.locate([lane]);
    } else {
      for (const set of sets) set.isConfirmed = true;
      this.wake();
    }
  }

  private wake(): void {
    this.storing ??= this.storeGroups();
  }

  /** Until nothing waits. Never throws. */
  private async storeGroups(): Promise<void> {
    // What came with the same answer goes along.
    await nextTurn();
    for (let group = this.next(); group.length > 0; group = this.next()) {
      // Who only reads along passes by what can't be read, as the stream does when it is parked.
      const isHeld = ({ undecodable }: Loaded): boolean => undecodable !== undefined && this.store.stall !== undefined;
      for (const one of group.filter(isHeld)) this.aside(this.hold(one));
      const others = group.filter((one) => !isHeld(one));
      const [first] = others;
      // It may wait for the same lock again: the others do not wait for it.
      if (first?.lane.stuck) this.aside(this.storeAside(first));
      else await this.storeGroup(others);
      this.makeRoom();
      this.storedAt = performance.now();
    }
    this.storing = undefined;
  }

  /** One that was not stored the last time, by itself. */
  private async storeAside(loaded: Loaded): Promise<void> {
    loaded.lane.isAside = true;
    await this.storeGroup([loaded]);
    loaded.lane.isAside = false;
    this.makeRoom();
    this.wake();
  }

  private next(): Loaded[] {
    return gatherGroup(this.lanes.values(), ++this.turn);
  }

  private async storeGroup(group: readonly Loaded[]): Promise<void> {
    if (group.length === 0) return;
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.callHandler(group.map(({ batch }) => batch));
    } catch (error) {
      outcomes = group.map(() => ({ error }));
    }
    for (const [index, loaded] of group.entries()) {
      this.settle(loaded, outcomes[index] ?? { error: new Error('The handler did not answer for this batch') });
    }
  }

  private settle({ lane, batch }: Loaded, outcome: Outcome): void {
    const isStored = outcome === batch.nextOffset;
    const isHeld = lane.settle(isStored);
    if (lane.isClosed || !isHeld) return;
    if (typeof outcome !== 'number') {
      const attempts = lane.stuck?.attempts ?? 0;
      logger.warn(
        { err: outcome.error, topic: lane.topic, partisjon: lane.partition, forsoek: attempts },
        'The batch could not be stored; trying again',
      );
      this.aside(this.backOff(lane));
      return;
    }
    this.getsOn(lane);
    if (isStored) {
      this.toCommit.set(lane.partition, outcome);
      lane.isAside = false;
      if (lane.isOutOfRange && lane.isEmpty) this.aside(this.miss(lane));
    } else if (outcome === UNKNOWN_POSITION) {
      lane.restart(undefined);
      void this.locate([lane]);
    } else this.start(lane, outcome);
  }

  /** Kafka no longer has what comes next: the topic is asked where it starts, and where to go on. */
  private async miss(lane: Lane): Promise<void> {
    this.getsOn(lane);
    // The topic was asked, and yet the position is the one that it does not hold.
    await lane.pause(missedMs(lane.countMissed()));
    if (lane.isClosed) return;
    lane.restart(undefined);
    void this.locate([lane]);
  }

  /** What comes next can't be read: the others go on without it. */
  private async hold({ lane, batch, undecodable }: Loaded): Promise<void> {
    lane.isAside = true;
    let outcome: Outcome | 'UDEKODBAR';
    try {
      outcome = undecodable ? await this.stall(batch, undecodable) : UNKNOWN_POSITION;
    } catch (error) {
      outcome = { error };
    }
    if (outcome !== 'UDEKODBAR') {
      this.settle({ lane, batch }, outcome);
      this.makeRoom();
      this.wake();
      return;
    }
    lane.settle(false);
    if (!lane.isClosed) await this.waitForParking(lane);
  }

  private async stall(
    { topic, epoch, partition, fetchedFrom }: MessageBatch,
    undecodable: UndecodableBatch,
  ): Promise<'UDEKODBAR' | number> {
    const position = await this.store.stall?.({ epoch, partition }, undecodable);
    if (position !== fetchedFrom) return position ?? UNKNOWN_POSITION;
    const { first, last, reason } = undecodable;
    logger.error(
      { topic, partisjon: partition, fra: first, til: last, aarsak: reason },
      'A batch can not be read: its partition waits until somebody parks it, and the others go on',
    );
    return 'UDEKODBAR';
  }

  private note(lane: Lane, why: 'IKKE_LAGRET' | 'UDEKODBAR'): number {
    const attempts = lane.stuck?.attempts ?? 0;
    if (lane.stuck?.why !== why) this.tellStuck(lane, 0);
    lane.stuck = { since: lane.stuck?.since ?? Date.now(), why, attempts: attempts + 1 };
    this.tellStuck(lane);
    return attempts;
  }

  /** With little in memory, and in none that others wait for. */
  private async backOff(lane: Lane): Promise<void> {
    const attempts = this.note(lane, 'IKKE_LAGRET');
    lane.isPaused = true;
    lane.isAside = true;
    const { position } = lane;
    const isDropped = this.held > QUEUE_BYTES / 2;
    if (isDropped) lane.restart(undefined);
    else lane.detach();
    this.makeRoom();
    await lane.pause(backoffMs(attempts));
    if (lane.isClosed) return;
    if (isDropped) this.start(lane, position);
    lane.isAside = false;
    this.wake();
  }

  /** What waits of partitions that do not get on. */
  private get held(): number {
    return [...this.lanes.values()].reduce((sum, { stuck, bytes }) => sum + (stuck ? bytes : 0), 0);
  }

  private async waitForParking(lane: Lane): Promise<void> {
    const attempts = this.note(lane, 'UDEKODBAR');
    lane.isPaused = true;
    const { position } = lane;
    // It is fetched again each time: it may have been damaged on its way, or be whole at another broker.
    lane.restart(undefined);
    this.makeRoom();
    for (const end = Date.now() + stallMs(attempts); !lane.isClosed && Date.now() < end;) {
      await lane.pause(LOOK_MS);
      const prepared = await lane.unlessClosed(this.store.prepare([lane.partition]).catch(() => undefined));
      if (!prepared || prepared.positions.get(lane.partition) === position) continue;
      this.getsOn(lane);
      break;
    }
    void this.locate([lane]);
  }

  /** To the metric: for how long it has been stuck. */
  private tellStuck({ topic, partition, stuck }: Lane, seconds?: number): void {
    if (!stuck || !this.options.isStream) return;
    const labels = { topic, partisjon: partition, aarsak: stuck.why };
    metrics.stuck.set(labels, seconds ?? (Date.now() - stuck.since) / 1_000);
  }

  /** When it was stuck. */
  private getsOn(lane: Lane): void {
    if (!lane.stuck) return;
    const { why } = lane.stuck;
    this.tellStuck(lane, 0);
    lane.stuck = undefined;
    // What was noted of it goes.
    if (why === 'UDEKODBAR') void this.store.prepare([lane.partition]).catch(() => undefined);
  }

  /** Lets Kafka be asked for what there is room for again. */
  private makeRoom(): void {
    const { share } = this;
    if (!this.hasRoom(0.5)) return;
    for (const lane of this.lanes.values()) {
      if (lane.fetchFrom === undefined || lane.isOutOfRange || lane.stuck) continue;
      if (lane.bytes <= share / 2) lane.isPaused = false;
    }
  }

  private async callHandler(batches: readonly MessageBatch[]): Promise<readonly Outcome[]> {
    const handler: Handler | null = this.getHandlerByPattern(this.options.pattern);
    if (!handler) throw new Error(`No handler for ${this.options.pattern}`);
    const result = await handler(batches);
    return isObservable(result) ? firstValueFrom(result) : result;
  }

  private async commit(): Promise<void> {
    const { topic } = this.options;
    const offsets = [...this.toCommit].map(([partition, next]) => ({ topic, partition, offset: String(next) }));
    if (offsets.length === 0) return;
    this.toCommit.clear();
    // The group may be joining: the next owner tells.
    await this.consumer?.commitOffsets(offsets).catch(() => undefined);
  }
}

/** 0.1 s, doubling to 5 s. */
function backoffMs(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 10), 5_000);
}

/** Nothing the first time: the topic is asked where it starts. */
function missedMs(times: number): number {
  return times > 1 ? backoffMs(times - 2) : 0;
}

function stallMs(attempt: number): number {
  return Math.min(2_000 * 2 ** Math.min(attempt, 10), MAX_STALL_MS);
}
