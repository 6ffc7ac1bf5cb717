import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { createTestTopic } from '../suite.ts';
import { createWorkDir } from './work-dir.ts';
import { startKafka } from './kafka.ts';
import { freePort } from './process.ts';

const { directory, clean } = createWorkDir('spec');
afterAll(clean);

test('it keeps its messages when it is killed and started again', async () => {
  const kafka = await startKafka({
    port: await freePort(),
    dataDir: join(directory, 'kafka'),
    logFile: join(directory, 'kafka.log'),
  });
  try {
    const topic = await createTestTopic({ partitions: 2, brokers: kafka.brokers });
    const place = await topic.publish([
      { key: 'a', value: 'en', partition: 0 },
      { key: 'b', value: 'to', partition: 1 },
      { key: 'a', value: null, partition: 0 },
    ]);
    expect(place).toEqual([
      { partition: 0, offset: 0 },
      { partition: 1, offset: 0 },
      { partition: 0, offset: 1 },
    ]);
    await kafka.kill();
    await kafka.restart();
    expect(await read(kafka.brokers, topic.topic, 3)).toEqual(['0:0:a=en', '0:1:a=null', '1:0:b=to']);
    await topic.remove();
  } finally {
    await kafka.stop();
  }
});

async function read(brokers: string, topic: string, count: number): Promise<string[]> {
  const consumer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).consumer({ groupId: 'spec' });
  const wasRead: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((done) => {
    void consumer.run({
      eachMessage: async ({ partition, message: { offset, key, value } }) => {
        wasRead.push(`${String(partition)}:${offset}:${String(key)}=${String(value)}`);
        if (wasRead.length === count) done();
        return Promise.resolve();
      },
    });
  });
  await consumer.disconnect();
  return wasRead.sort();
}
