import { setTimeout as wait } from 'node:timers/promises';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { logger } from '@tiltak/platform';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { firstValueFrom, isObservable } from 'rxjs';
import { metrics } from '../metrics.ts';
import type { MessageBatch, Outcome } from './batch.ts';
import { fetchedFrom, fetchedOf, withRecordSets } from './kafkajs-patch.ts';
import { Lane } from './lane.ts';
import { Places } from './places.ts';
import type { Prepared } from './prepare-positions.ts';
import type { UndecodableBatch } from './record-set.ts';

export interface ConsumerOptions {
  topic: string;
  /** the `@MessagePattern` of the handler */
  pattern: string;
  groupId: string;
  /** how many partitions are worked on at the same time */
  concurrentPartitions: number;
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
/** Kafka hears of what is stored this often; nobody goes on from there, but its tools show it. */
const COMMIT_MS = 5_000;
/** A partition that is held looks this often whether somebody has let it go on. */
const LOOK_MS = 1_000;
const MAX_STALL_MS = 30_000;
/** Without an answer from Kafka for so long, a consumer does not consume: the group may be joining for ever. */
const SILENT_MS = 60_000;

/**
 * A Nest transport that hands batches of a partition to one `@MessagePattern` handler. The handler stores them and
 * answers with the position to go on from. Its store, not Kafka, decides the position: on assignment the consumer seeks
 * to it, and an answer other than the batch's end is a seek.
 *
 * Fetching only fills a queue, so the membership of the group never waits for the store. Each partition has a lane in
 * it and gets on by itself: a handler that throws is called again with the same messages, for ever, with back-off, and a
 * batch that can't be read is held, while the other partitions go on. Nothing is skipped because something else is down.
 */
export class BatchConsumer extends Server implements CustomTransportStrategy {
  private consumer: Consumer | undefined;
  private stopped = false;
  private member = false;
  private heardAt = 0;
  private lanes = new Map<number, Lane>();
  private readonly places: Places;
  private readonly toCommit = new Map<number, number>();
  private commits: NodeJS.Timeout | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly options: ConsumerOptions,
    private readonly store: PositionStore,
  ) {
    super();
    this.places = new Places(options.concurrentPartitions);
  }

  /** Returns at once; a broker that is away is waited for in the background. */
  listen(callback: () => void): void {
    void this.consume();
    callback();
  }

  /** Finishes what is being stored; what waits is fetched again by the next owner. */
  async close(): Promise<void> {
    this.stopped = true;
    clearInterval(this.commits);
    const { lanes } = this;
    for (const lane of lanes.values()) this.end(lane);
    await Promise.all([...lanes.values()].map(({ work }) => work));
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
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await withRecordSets(() =>
          consumer.run({
            // Kafka hears of what is stored, and of nothing else.
            autoCommit: false,
            eachBatchAutoResolve: false,
            eachBatch: (payload) => {
              this.receive(consumer, payload);
              return Promise.resolve();
            },
          }),
        );
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
      logger.error({ err: payload.error, startesPaaNytt: payload.restart }, 'The Kafka consumer stopped');
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
    const before = this.lanes;
    for (const lane of before.values()) this.end(lane);
    this.lanes = new Map(
      partitions.map((partition) => [partition, new Lane(topic, partition, before.get(partition)?.work)]),
    );
    this.toCommit.clear();
    if (isStream) metrics.assigned.set({ topic }, partitions.length);
    const lanes = [...this.lanes.values()];
    for (const lane of lanes) setPaused(consumer, lane, true);
    void this.locate(consumer, lanes);
  }

  private end(lane: Lane): void {
    lane.close();
    this.tellStuck(lane, 0);
  }

  /** Asks the store where the lanes go on, for as long as it takes. */
  private async locate(consumer: Consumer, lanes: Lane[]): Promise<void> {
    let left = lanes;
    for (let attempt = 0; left.length > 0; attempt++) {
      try {
        const { positions, ...readFrom } = await this.store.prepare(left.map(({ partition }) => partition));
        for (const lane of left) {
          lane.readFrom = readFrom;
          this.start(consumer, lane, positions.get(lane.partition));
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

  private start(consumer: Consumer, lane: Lane, position: number | undefined): void {
    if (lane.isClosed || position === undefined) return;
    lane.restart(position);
    seek(consumer, lane, position);
    setPaused(consumer, lane, false);
  }

  /** Of what Kafka answered; what is not taken is fetched again. */
  private receive(consumer: Consumer, { batch, isStale, resolveOffset }: EachBatchPayload): void {
    const lane = this.lanes.get(batch.partition);
    if (!lane || consumer !== this.consumer || isStale() || lane.isPaused || lane.fetchFrom === undefined) return;
    const fetched = fetchedOf(batch);
    if (fetched === 'OUT_OF_RANGE') {
      setPaused(consumer, lane, true);
      lane.isOutOfRange = true;
    } else if (fetchedFrom(batch) !== lane.fetchFrom) {
      seek(consumer, lane, lane.fetchFrom);
      return;
    } else if (this.queued >= QUEUE_BYTES && !(lane.isEmpty && this.places.isOneFree)) {
      setPaused(consumer, lane, true);
      return;
    } else {
      lane.push(fetched);
      resolveOffset(String(fetched.next - 1));
      // What does not get on needs nothing to follow.
      const isFull = lane.bytes >= this.share || this.queued >= QUEUE_BYTES || lane.stuck !== undefined;
      if (isFull) setPaused(consumer, lane, true);
    }
    if (!lane.isWorked) lane.work = this.work(consumer, lane, lane.work);
  }

  private get queued(): number {
    return [...this.lanes.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private get share(): number {
    return Math.max(MIN_SHARE_BYTES, QUEUE_BYTES / this.lanes.size);
  }

  /** Has what is in a lane stored, until nothing is. Never throws, and waits for nothing but the store when the lane is closed. */
  private async work(consumer: Consumer, lane: Lane, before: Promise<void>): Promise<void> {
    lane.isWorked = true;
    await before;
    while (!lane.isClosed) {
      const outcome = await this.places.use(() => this.storeNext(lane));
      if (lane.isClosed || (outcome === 'EMPTY' && !lane.isOutOfRange)) break;
      if (outcome === 'IKKE_LAGRET' || outcome === 'UDEKODBAR') {
        await this.backOff(consumer, lane, outcome);
        continue;
      }
      this.getsOn(lane);
      // The topic was asked, and yet the position is the one that it does not hold.
      if (outcome === 'EMPTY') await lane.pause(missedMs(lane.countMissed()));
      if (outcome === 'EMPTY' || outcome === UNKNOWN_POSITION) {
        lane.restart(undefined);
        void this.locate(consumer, [lane]);
      } else if (outcome !== 'STORED') this.start(consumer, lane, outcome);
      this.makeRoom(consumer);
    }
    lane.isWorked = false;
    this.makeRoom(consumer);
  }

  /** @returns a position to go to, or what became of what comes next */
  private async storeNext(lane: Lane): Promise<'STORED' | 'EMPTY' | 'IKKE_LAGRET' | 'UDEKODBAR' | number> {
    const load = lane.isClosed ? undefined : lane.load();
    if (!load) return 'EMPTY';
    const { batch, undecodable } = load;
    const { topic, partition } = lane;
    try {
      // Who only reads along passes by what can't be read, as the stream does when it is parked.
      const isHeld = undecodable && this.store.stall;
      const next = isHeld
        ? await this.stall(batch, undecodable)
        : await this.callHandler(batch, lane.readFrom?.topicId);
      if (next === 'UDEKODBAR' || next !== batch.nextOffset) return next;
      lane.stored();
      if (this.lanes.get(partition) === lane) this.toCommit.set(partition, next);
      return 'STORED';
    } catch (error) {
      const attempts = lane.stuck?.attempts ?? 0;
      logger.warn(
        { err: error, topic, partisjon: partition, forsoek: attempts },
        'The batch could not be stored; trying again',
      );
      return 'IKKE_LAGRET';
    } finally {
      lane.release();
    }
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

  /** Without a place, so that others get on meanwhile, and with little in memory. */
  private async backOff(consumer: Consumer, lane: Lane, why: 'IKKE_LAGRET' | 'UDEKODBAR'): Promise<void> {
    const attempts = lane.stuck?.attempts ?? 0;
    if (lane.stuck?.why !== why) this.tellStuck(lane, 0);
    lane.stuck = { since: lane.stuck?.since ?? Date.now(), why, attempts: attempts + 1 };
    this.tellStuck(lane);
    setPaused(consumer, lane, true);
    const { position } = lane;
    if (why === 'IKKE_LAGRET') {
      const isDropped = this.queued > QUEUE_BYTES / 2;
      if (isDropped) lane.restart(undefined);
      await lane.pause(backoffMs(attempts));
      if (isDropped) this.start(consumer, lane, position);
      return;
    }
    // It is fetched again each time: it may have been damaged on its way, or be whole at another broker.
    lane.restart(undefined);
    for (const end = Date.now() + stallMs(attempts); !lane.isClosed && Date.now() < end;) {
      await lane.pause(LOOK_MS);
      const prepared = await lane.unlessClosed(this.store.prepare([lane.partition]).catch(() => undefined));
      if (!prepared || prepared.positions.get(lane.partition) === position) continue;
      this.getsOn(lane);
      break;
    }
    void this.locate(consumer, [lane]);
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
  private makeRoom(consumer: Consumer): void {
    const { queued, share } = this;
    for (const lane of this.lanes.values()) {
      if (!lane.isPaused || lane.fetchFrom === undefined || lane.isOutOfRange || lane.stuck) continue;
      const hasRoom = queued < QUEUE_BYTES / 2 || (lane.isEmpty && this.places.isOneFree);
      if (lane.bytes <= share / 2 && hasRoom) setPaused(consumer, lane, false);
    }
  }

  private async callHandler(batch: MessageBatch, topicId: string | undefined): Promise<number> {
    // The topic may have been made anew before this was fetched: if it is the same before and after, so it was then.
    if ((await this.store.readTopicId(batch.partition)) !== topicId) return UNKNOWN_POSITION;
    const handler: Handler | null = this.getHandlerByPattern(this.options.pattern);
    if (!handler) throw new Error(`No handler for ${this.options.pattern}`);
    const result = await handler([batch]);
    const [outcome] = isObservable(result) ? await firstValueFrom(result) : result;
    if (typeof outcome === 'number') return outcome;
    throw outcome?.error;
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

/** Fails while the consumer is being stopped: then nothing is fetched either. */
function seek(consumer: Consumer, { topic, partition }: Lane, position: number): void {
  try {
    consumer.seek({ topic, partition, offset: String(position) });
  } catch (error) {
    logger.debug({ err: error, partisjon: partition }, 'Could not seek');
  }
}

function setPaused(consumer: Consumer, lane: Lane, paused: boolean): void {
  if (lane.isPaused === paused) return;
  lane.isPaused = paused;
  const { topic, partition } = lane;
  try {
    consumer[paused ? 'pause' : 'resume']([{ topic, partitions: [partition] }]);
  } catch (error) {
    logger.debug({ err: error, partisjon: partition }, 'Could not pause or resume');
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
