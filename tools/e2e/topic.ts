import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { waitUntil, type Placement } from '@tiltak/testing';

type TopicMessage = Placement & { key: Buffer | null; value: Buffer | null };

/** All that is on a topic now, as a consumer of its own reads it. */
export async function readMessages(brokers: string, topic: string): Promise<TopicMessage[]> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `read-${randomUUID()}` });
  const read: TopicMessage[] = [];
  await Promise.all([admin.connect(), consumer.connect()]);
  try {
    const ends = await admin.fetchTopicOffsets(topic);
    const next = new Map<number, number>();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message: { offset, key, value } }) => {
        read.push({ partition, offset: Number(offset), key, value });
        next.set(partition, Number(offset) + 1);
        return Promise.resolve();
      },
    });
    await waitUntil(
      () => ends.every(({ partition, low, high }) => (next.get(partition) ?? Number(low)) >= Number(high)),
      {
        what: 'all of the topic',
        maxMs: 60_000,
      },
    );
    return read;
  } finally {
    await Promise.all([consumer.disconnect(), admin.disconnect()]);
  }
}
