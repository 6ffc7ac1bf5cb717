import { createHash } from 'node:crypto';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import type { SourceMessage } from '@tiltak/simulator';

/** Of the simulator, which makes these only unless it is told to poison them. */
export interface TextMessage {
  key: string;
  value: string;
}

export function textsOf(messages: Iterable<SourceMessage>): TextMessage[] {
  return Array.from(messages, ({ key, value }) => ({ key: key ?? '', value: String(value) }));
}

/** For more messages than should be kept in memory, as the systems of tests keep what they publish. */
export async function withProducer<T>(brokers: string, work: (producer: Producer) => Promise<T>): Promise<T> {
  const producer = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  try {
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}

/** Always to the same partition for a key, as the source does. */
export function partitionOf(key: string, partitions: number): number {
  return createHash('sha256').update(key).digest().readUInt32BE() % partitions;
}

/** In the order given, a thousand at a time. */
export async function publishAll(
  producer: Pick<Producer, 'send'>,
  { topic, partitions }: { topic: string; partitions: number },
  messages: readonly TextMessage[],
): Promise<void> {
  for (let from = 0; from < messages.length; from += 1_000) {
    const chunk = messages.slice(from, from + 1_000);
    await producer.send({
      topic,
      messages: chunk.map(({ key, value }) => ({ key, value, partition: partitionOf(key, partitions) })),
    });
  }
}
