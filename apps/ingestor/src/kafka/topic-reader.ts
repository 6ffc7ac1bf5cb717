import { setTimeout as wait } from 'node:timers/promises';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { MessageBatch } from './batch.ts';
import type { PartitionExtent, TopicDescription } from './topic-admin.ts';

/** Reads from positions that it is told, and hands over batches as `BatchConsumer` does. */
export interface TopicReader {
  listen: (ready: () => void) => void;
  close: () => Promise<void>;
}

export interface TopicReading {
  /** of the consumer group, which is not the stream's */
  purpose: 'gjenoppbygging' | 'avstemming' | 'parkerte';
  handle: (batch: MessageBatch) => Promise<number>;
  /**
   * On the topic that is described; what is read is of that one alone. What it does not hold is passed by. A partition
   * that has none is not read.
   */
  positions: (description: TopicDescription & { epoch: number }) => Promise<Map<number, number>>;
}

/** The organisation's topic, to be read again beside the stream. */
export class Topic {
  constructor(
    readonly name: string,
    private readonly waitForDescription: () => Promise<TopicDescription>,
    readonly createReader: (reading: TopicReading) => TopicReader,
  ) {}

  /** @throws Problem 503 when Kafka does not answer in time */
  async describe(): Promise<TopicDescription> {
    const description = await Promise.race([this.waitForDescription(), wait(5_000, undefined, { ref: false })]);
    if (!description) throw kafkaAway();
    return description;
  }
}

const SILENT_MS = 60_000;

/**
 * Reads the topic from its start to where what may be read of it ended when it was described, once. Batches come one at a
 * time, cut off at that end, in order within a partition; after a rebalance some may come again. What the topic removes
 * meanwhile is passed by.
 *
 * @throws Problem 503 when Kafka is silent for a minute or the topic is made anew, when it is broken off, and what `handle`
 * throws
 */
export async function readTopicOnce(
  topic: Topic,
  { id, partitions: ends }: TopicDescription,
  handle: (batch: MessageBatch) => Promise<void>,
  { purpose = 'avstemming', signal }: { purpose?: TopicReading['purpose']; signal?: AbortSignal } = {},
): Promise<void> {
  const readable = ends.filter(({ start, stableEnd }) => start < stableEnd);
  const left = new Map(readable.map(({ partition, stableEnd }) => [partition, stableEnd]));
  if (left.size === 0) return;
  const next = new Map(ends.map(({ partition, start }) => [partition, start]));
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  let queue: Promise<unknown> = Promise.resolve();
  const receive = async (batch: MessageBatch): Promise<void> => {
    const { partition, nextOffset } = batch;
    const end = left.get(partition);
    if (end === undefined) return;
    silence.refresh();
    await handle({ ...batch, messages: batch.messages.filter(({ offset }) => offset < end) });
    next.set(partition, nextOffset);
    if (nextOffset >= end) left.delete(partition);
    if (left.size === 0) resolve(undefined);
  };
  const pass = (extents: readonly PartitionExtent[]): void => {
    for (const { partition, start } of extents) if (start >= (left.get(partition) ?? Infinity)) left.delete(partition);
    if (left.size === 0) resolve(undefined);
  };
  const reader = topic.createReader({
    purpose,
    positions: async (now) => {
      if (now.id !== id) reject(new Problem(PROBLEMS.UTILGJENGELIG, 'The topic was made anew meanwhile'));
      queue = queue.then(() => pass(now.partitions));
      await queue;
      return next;
    },
    handle: async (batch) => {
      queue = queue.then(() => receive(batch)).catch(reject);
      await queue;
      return batch.nextOffset;
    },
  });
  // After all that may throw: nobody would wait for the promise, and the process ends when one is rejected unseen.
  const silence = setTimeout(() => reject(kafkaAway()), SILENT_MS);
  const abort = (): void => reject(new DOMException('The reading is broken off', 'AbortError'));
  signal?.addEventListener('abort', abort);
  try {
    reader.listen(() => undefined);
    await promise;
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener('abort', abort);
    await reader.close();
  }
}

function kafkaAway(): Problem {
  return new Problem(PROBLEMS.UTILGJENGELIG, 'Kafka does not answer', { retryAfter: 10 });
}
