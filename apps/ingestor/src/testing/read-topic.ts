import { randomUUID } from 'node:crypto';
import { testEnvironment, waitUntil } from '@tiltak/testing';
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';

/** All that a topic of the test run's Kafka holds, each partition in its order. */
export async function readTopic(topic: string): Promise<(KafkaMessage & { partition: number })[]> {
  const kafka = new Kafka({ brokers: testEnvironment().kafka.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 });
  await Promise.all([admin.connect(), consumer.connect()]);
  const read: (KafkaMessage & { partition: number })[] = [];
  try {
    const count = (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: ({ partition, message }) => {
        read.push({ ...message, partition });
        return Promise.resolve();
      },
    });
    await waitUntil(() => read.length >= count, { what: 'all of the topic' });
    return read;
  } finally {
    await Promise.all([consumer.disconnect(), admin.disconnect()]);
  }
}
