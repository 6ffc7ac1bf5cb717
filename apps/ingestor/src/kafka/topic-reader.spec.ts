import { getEventListeners } from 'node:events';
import { randomUUID } from 'node:crypto';
import { createTestTopic, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { Kafka, logLevel } from 'kafkajs';
import { register } from 'prom-client';
import { ID, message } from '../testing/test-ingest.ts';
import { startTestIngestor, type TestIngestor } from '../testing/test-ingestor.ts';
import { BatchConsumer } from './batch-consumer.ts';
import { createKafka } from './client.ts';
import { readTopicOnce, type Topic } from './topic-reader.ts';

/** What reads the topic beside the stream, on a real broker. */
const brokers = testEnvironment().kafka.split(',');
const COUNT = 6;
let ingestor: TestIngestor;
let kafkaTopic: TestTopic;
let topic: Topic;
beforeAll(async () => {
  kafkaTopic = await createTestTopic();
  ingestor = await startTestIngestor({
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_TOPIC: kafkaTopic.topic,
    KAFKA_GROUP_ID: kafkaTopic.topic,
  });
  ({ topic } = ingestor.ingestor.kafka);
  await publish(COUNT);
  await waitUntil(async () => (await ingestor.dump()).avtale.length === COUNT, { what: 'the avtaler', maxMs: 60_000 });
}, 120_000);
afterAll(async () => {
  await ingestor.stop();
  await kafkaTopic.remove();
});

function publish(count: number): Promise<unknown> {
  const messages = Array.from({ length: count }, (_, n) =>
    message(n, { avtaleId: `${ID.slice(0, -6)}${String(100_000 + n)}`, avtaleNr: n }),
  );
  return kafkaTopic.publish(messages.map(({ key, value }) => ({ key, value })));
}

test('a reading that can not begin leaves nothing behind that is rejected later, when nobody waits for it', async () => {
  await publish(1);
  const description = await topic.describe();
  const cannot: Topic = Object.assign(Object.create(topic) as Topic, {
    createReader: () => {
      throw new Error('No reader');
    },
  });
  const { signal } = new AbortController();
  const reading = readTopicOnce(cannot, description, () => Promise.resolve(), { signal });
  await expect(reading).rejects.toThrow('No reader');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('two readings at once do not take the partition from each other', async () => {
  const description = await topic.describe();
  const both = Promise.withResolvers<undefined>();
  let reading = 0;
  const read = (): Promise<void> =>
    readTopicOnce(
      topic,
      description,
      async () => {
        if (++reading === 2) both.resolve(undefined);
        await both.promise;
      },
      { purpose: 'parkerte' },
    );
  await Promise.all([read(), read()]);
  expect(reading).toBe(2);
}, 60_000);

test('a transaction of another that is open is not waited for', async () => {
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer({
    transactionalId: kafkaTopic.topic,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: kafkaTopic.topic, messages: [{ key: 'a', value: 'c', partition: 0 }] });
  try {
    const who = { hvem: 'X', klient: 'test', callId: 'test' } as never;
    expect(await ingestor.ingestor.avstemming.withTopic(who)).toMatchObject({ kilde: 'TOPIC' });
  } finally {
    await transaction.abort();
    await producer.disconnect();
  }
}, 60_000);

test('no metric tells of a reader, nor of a stream that is closed while it is stuck', async () => {
  const stuckSeconds = async (): Promise<number> => {
    const values = (await register.getSingleMetric('ingestor_partisjon_stanset_sekunder')?.get())?.values ?? [];
    return values.reduce((sum, { value }) => sum + value, 0);
  };
  const kafka = createKafka({ brokers, clientId: 'test', retries: 3 });
  const { id: topicId } = await topic.describe();
  for (const isStream of [false, true]) {
    const options = { topic: topic.name, pattern: 'x', groupId: randomUUID(), isStream };
    const consumer = new BatchConsumer(kafka, options, {
      prepare: () => Promise.resolve({ epoch: 0, topicId, positions: new Map([[0, 0]]) }),
      readTopicId: () => Promise.resolve(topicId),
    });
    let attempts = 0;
    consumer.addHandler('x', () => {
      attempts++;
      return Promise.reject(new Error('not now'));
    });
    consumer.listen(() => undefined);
    await waitUntil(() => Promise.resolve(attempts >= 3), { what: 'three attempts', maxMs: 30_000 });
    expect((await stuckSeconds()) > 0).toBe(isStream);
    await consumer.close();
    expect(await stuckSeconds()).toBe(0);
  }
}, 60_000);

describe('what the topic has removed since it was to be read', () => {
  const remove = (offset: number): Promise<void> => kafkaTopic.forget([{ partition: 0, offset }]);

  test.each([
    ['some', (end: number) => end - 1],
    ['all', (end: number) => end],
  ])(
    'is passed by, by a rebuild and by a reading: %s of it',
    async (_, removeTo) => {
      await publish(COUNT);
      const stored = async (): Promise<boolean> => {
        const [row] = await ingestor.owner.query<{ next: string }[]>('select neste_offset as next from konsum_offset');
        return Number(row?.next) === (await topic.describe()).partitions[0]?.end;
      };
      await waitUntil(stored, { what: 'all to be stored', maxMs: 30_000 });
      const description = await topic.describe();
      expect((await ingestor.call('POST', '/drift/v1/gjenoppbygging')).status).toBe(204);
      await remove(removeTo(description.partitions[0]?.end ?? 0));
      const rebuild = ingestor.ingestor.rebuilds.of('avtaler');
      const reading = readTopicOnce(topic, description, () => Promise.resolve());
      rebuild.start();
      const state = async (): Promise<unknown> =>
        (await ingestor.call('GET', '/drift/v1/gjenoppbygging')).body.tilstand;
      await waitUntil(async () => (await state()) === 'FERDIG', { what: 'the rebuild', maxMs: 45_000 });
      await rebuild.stop();
      await reading;
    },
    90_000,
  );
});
