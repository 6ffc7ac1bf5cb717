import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestTopic, createWorkDir, freePort, startKafka, waitUntil } from '@tiltak/testing';
import { BatchConsumer, UNKNOWN_POSITION } from './batch-consumer.ts';
import type { MessageBatch, Outcome } from './batch.ts';
import { createKafka } from './client.ts';
import { TopicAdmin } from './topic-admin.ts';

/**
 * Groups on a broker of their own, with slow handlers, so that the queue is full: while answers keep coming, partitions
 * change hands, positions are sought, the broker is killed and consumers close. The store is this process's memory.
 */
const PARTITIONS = 5;
const EACH = 3_000;
const valueOf = (partition: number, n: number): Buffer =>
  Buffer.alloc(
    3_000,
    createHash('md5')
      .update(`${String(partition)} ${String(n)}`)
      .digest('hex'),
  );

const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

function digest(batches: readonly MessageBatch[]): string {
  const hash = createHash('md5');
  for (const { messages } of batches) {
    for (const { key, value } of messages) hash.update(key ?? '').update(value ?? '');
  }
  return hash.digest('hex');
}

test('nothing that a handler reads changes under it, and nothing is stored twice or passed by', async () => {
  const { directory, clean } = createWorkDir('groups');
  const broker = await startKafka({
    port: await freePort(),
    dataDir: join(directory, 'kafka'),
    logFile: join(directory, 'kafka.log'),
  });
  started.push(() => broker.stop().then(clean));
  const topic = await createTestTopic({ partitions: PARTITIONS, brokers: broker.brokers });
  started.push(() => topic.remove().catch(() => undefined));
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await topic.publish(
      Array.from({ length: EACH }, (_, n) => ({ key: String(n), value: valueOf(partition, n), partition })),
    );
  }
  const positions = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]));
  const faults: string[] = [];
  const largest = { group: 0 };
  let groups = 0;

  const consumer = (): BatchConsumer => {
    const options = { brokers: broker.brokers.split(','), clientId: 'test', retries: 1_000 };
    const admin = new TopicAdmin(options, 2_000);
    const made = new BatchConsumer(
      createKafka(options),
      { topic: topic.topic, pattern: 'x', groupId: 'groups', isStream: true },
      {
        prepare: async () => ({ epoch: 0, topicId: (await admin.describe(topic.topic)).id, positions }),
        readTopicId: (partition) => admin.readId(topic.topic, partition),
      },
    );
    made.addHandler('x', (batches: readonly MessageBatch[]) => store(batches));
    made.listen(() => undefined);
    started.push(async () => {
      await made.close();
      admin.disconnect();
    });
    return made;
  };

  const store = async (batches: readonly MessageBatch[]): Promise<Outcome[]> => {
    const before = digest(batches);
    const n = groups++;
    largest.group = Math.max(largest.group, batches.length);
    // Long enough for the queue to be full, and for answers to come.
    await wait(n % 7 === 0 ? 400 : 40);
    if (digest(batches) !== before) faults.push(`group ${String(n)} has changed`);
    return batches.map((batch, index): Outcome => {
      const { partition, fetchedFrom, nextOffset, messages } = batch;
      const position = positions.get(partition) ?? 0;
      if ((n + index) % 11 === 5) return { error: new Error('not now') };
      if (position < fetchedFrom) return UNKNOWN_POSITION;
      const fresh = messages.filter(({ offset }) => offset >= position);
      const isWhole = fresh.every(
        ({ offset, keyText, value }, at) =>
          offset === position + at && keyText === String(offset) && value?.equals(valueOf(partition, offset)),
      );
      if (!isWhole) faults.push(`partition ${String(partition)} from ${String(position)}`);
      const next = Math.max(position, nextOffset);
      // As when the database is restored from a backup, now and then.
      positions.set(partition, n % 19 === 7 ? Math.max(0, next - 50) : next);
      return positions.get(partition) ?? 0;
    });
  };

  const stored = (): number => [...positions.values()].reduce((sum, next) => sum + next, 0);
  const until = (share: number): Promise<unknown> =>
    waitUntil(() => stored() >= share * PARTITIONS * EACH, { what: `${String(share)} to be stored`, maxMs: 90_000 });
  consumer();
  await until(0.2);
  const other = consumer();
  await waitUntil(() => other.assigned > 0, { what: 'the second to have partitions', maxMs: 60_000 });
  await until(0.4);
  await broker.kill();
  await wait(1_000);
  await broker.restart();
  await until(0.6);
  await other.close();
  await until(1);
  expect(faults).toEqual([]);
  expect([...positions.values()]).toEqual(Array(PARTITIONS).fill(EACH));
  expect(largest.group).toBeGreaterThan(1);
}, 240_000);
