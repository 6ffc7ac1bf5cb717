import { setTimeout as wait } from 'node:timers/promises';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { DELETE_BEFORE } from '@tiltak/avtale';
import { logger } from '@tiltak/platform';
import { KafkaJSError, type Consumer, type EachBatchPayload, type Kafka } from 'kafkajs';
import { firstValueFrom, isObservable } from 'rxjs';
import type { MessageBatch, RawMessage } from './batch.ts';
import type { Prepared } from './prepare-positions.ts';

export interface ConsumerOptions {
  topic: string;
  /** the `@MessagePattern` of the handler */
  pattern: string;
  groupId: string;
  /** how many partitions are worked on at the same time */
  concurrentPartitions: number;
}

/** What a consumer has to know of where its topic is read from. */
export interface ReadingPlan {
  /** The stored positions of the partitions, made sure to exist on the topic. */
  prepare: (partitions: number[]) => Promise<Prepared>;
  /** The id of the topic that the partition's leader has now. */
  readTopicId: (partition: number) => Promise<string>;
}

/** The position that a handler answers with when it can't use the one a batch was read from. */
export const UNKNOWN_POSITION = -1;

/**
 * A Nest transport that hands whole batches of a partition to one `@MessagePattern` handler. The handler stores them and
 * answers with the position to go on from. Its store, not Kafka, decides the position: on assignment the consumer seeks
 * to it, and an answer other than the batch's end is a seek.
 *
 * A handler that throws is called again with the same batch, for ever, with back-off, while the membership of the
 * group is kept alive: nothing is skipped because something else is down.
 */
export class BatchConsumer extends Server implements CustomTransportStrategy {
  private consumer: Consumer | undefined;
  private stopped = false;
  private member = false;
  /** which topic a partition is read from, by partition; from before anything of it is fetched */
  private readonly readFrom = new Map<number, ReadFrom>();

  constructor(
    private readonly kafka: Kafka,
    private readonly options: ConsumerOptions,
    private readonly plan: ReadingPlan,
  ) {
    super();
  }

  /** Returns at once; a broker that is away is waited for in the background. */
  listen(callback: () => void): void {
    void this.consume();
    callback();
  }

  /** Finishes the batches under way. */
  async close(): Promise<void> {
    this.stopped = true;
    await this.consumer?.disconnect();
  }

  /** Whether this process is a member of the consumer group. */
  get isMember(): boolean {
    return this.member;
  }

  on(): void {
    throw new Error('This transport has no events');
  }

  unwrap<T>(): T {
    return this.consumer as T;
  }

  private async consume(): Promise<void> {
    const { topic, groupId, concurrentPartitions } = this.options;
    for (let attempt = 0; !this.stopped; attempt++) {
      const consumer = this.createConsumer(groupId);
      this.consumer = consumer;
      try {
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: concurrentPartitions,
          eachBatch: (payload) => this.process(consumer, payload),
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
      // As much as is worth one transaction, and little enough that several partitions fit in 200 MiB.
      maxBytesPerPartition: 2 * 1024 * 1024,
      maxBytes: 4 * 1024 * 1024,
      maxWaitTimeInMs: 1_000,
      // A process that was killed holds its partitions until the session ends.
      sessionTimeout: 10_000,
      heartbeatInterval: 1_000,
      rebalanceTimeout: 60_000,
      retry: { initialRetryTime: 300, maxRetryTime: 5_000, retries: 8 },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.member = true;
      void this.seekToStored(consumer, payload.memberAssignment[this.options.topic] ?? []);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.member = false;
      logger.error({ err: payload.error, startesPaaNytt: payload.restart }, 'The Kafka consumer stopped');
      // kafkajs itself starts again after what it considers passing.
      if (!payload.restart && !this.stopped) void this.consume();
    });
    return consumer;
  }

  private async seekToStored(consumer: Consumer, partitions: number[]): Promise<void> {
    for (let attempt = 0; !this.stopped && consumer === this.consumer; attempt++) {
      try {
        const { positions, ...readFrom } = await this.plan.prepare(partitions);
        for (const partition of partitions) this.readFrom.set(partition, readFrom);
        for (const partition of partitions) seek(consumer, this.options.topic, partition, positions.get(partition));
        return;
      } catch (error) {
        logger.warn({ err: error }, 'Could not find the stored positions; trying again');
        await wait(backoffMs(attempt));
      }
    }
  }

  private async process(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { topic, partition } = payload.batch;
    const readFrom = this.readFrom.get(partition);
    if (!readFrom) return this.seekToStored(consumer, [partition]);
    const batch = toBatch(payload, readFrom.epoch);
    for (let attempt = 0; payload.isRunning() && !payload.isStale(); attempt++) {
      try {
        const next = await withHeartbeat(payload.heartbeat, () => this.callHandler(batch, readFrom));
        if (next === batch.nextOffset) payload.resolveOffset(String(next - 1));
        else if (next === UNKNOWN_POSITION) await this.seekToStored(consumer, [partition]);
        else seek(consumer, topic, partition, next);
        return;
      } catch (error) {
        // The group is rebalancing: kafkajs must hear of it, and the next owner begins where the store says.
        if (error instanceof KafkaJSError) throw error;
        const pauseMs = backoffMs(attempt);
        logger.warn(
          { err: error, topic, partisjon: partition, forsoek: attempt, pauseMs },
          'The batch could not be stored; trying again',
        );
        await withHeartbeat(payload.heartbeat, () => waitWhile(payload.isRunning, pauseMs));
      }
    }
  }

  private async callHandler(batch: MessageBatch, { topicId }: ReadFrom): Promise<number> {
    // The topic may have been made anew before this was fetched: if it is the same before and after, so it was then.
    if ((await this.plan.readTopicId(batch.partition)) !== topicId) return UNKNOWN_POSITION;
    const handler: MessageHandler<MessageBatch, undefined, number> | null = this.getHandlerByPattern(
      this.options.pattern,
    );
    if (!handler) throw new Error(`No handler for ${this.options.pattern}`);
    const result = await handler(batch);
    return isObservable(result) ? firstValueFrom(result) : result;
  }
}

function seek(consumer: Consumer, topic: string, partition: number, position: number | undefined): void {
  if (position !== undefined) consumer.seek({ topic, partition, offset: String(position) });
}

type ReadFrom = Omit<Prepared, 'positions'>;

function toBatch({ batch }: EachBatchPayload, epoch: number): MessageBatch {
  return {
    topic: batch.topic,
    epoch,
    partition: batch.partition,
    fetchedFrom: Number((batch as typeof batch & { fetchedOffset: string }).fetchedOffset),
    messages: batch.messages.map(({ offset, key, value, headers, timestamp }) => ({
      offset: Number(offset),
      key,
      value,
      ...parseDeleteBefore(headers?.[DELETE_BEFORE]),
      ...parseTimestamp(timestamp),
    })),
    nextOffset: Number(batch.lastOffset()) + 1,
    endOffset: Number(batch.highWatermark),
  };
}

const END_OF_TIME = Date.UTC(10_000, 0, 1);

/** A client from before records had timestamps writes -1, and one may write anything else; Postgres takes no such time. */
function parseTimestamp(timestamp: string): Pick<RawMessage, 'writtenAt'> {
  const writtenAt = Number(timestamp);
  return writtenAt >= 0 && writtenAt < END_OF_TIME ? { writtenAt } : {};
}

/** Anything but an offset is no limit: the message is a tombstone like any other. */
function parseDeleteBefore(header: unknown): Pick<RawMessage, 'deleteBefore'> {
  const text = Buffer.isBuffer(header) ? header.toString('latin1') : '';
  return /^\d{1,15}$/.test(text) ? { deleteBefore: Number(text) } : {};
}

/** Keeps the membership of the group alive meanwhile; a rebalance is told of when the work is done, not before. */
async function withHeartbeat<T>(heartbeat: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  let failed: unknown;
  const timer = setInterval(() => {
    heartbeat().catch((error: unknown) => (failed = error));
  }, 1_000);
  try {
    const result = await work();
    if (failed instanceof KafkaJSError) throw failed;
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** 0.1 s, doubling to 5 s. */
function backoffMs(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 10), 5_000);
}

async function waitWhile(condition: () => boolean, ms: number): Promise<void> {
  for (const end = Date.now() + ms; condition() && Date.now() < end;) await wait(Math.min(100, ms));
}
