import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Stop } from '@tiltak/platform';
import { createTestTopic, createTopic, freePort, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { FreshnessMeter } from '../freshness/freshness.job.ts';
import { createIngestor, startIngestor, type Ingestor } from '../ingestor.ts';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { forgetPartitions } from './gaps.queries.ts';
import { TopicAdmin } from './topic-admin.ts';
import { TopicWatch } from './topic-watch.job.ts';

/** What befalls a topic, with real Kafka and the whole ingestor. */

const kafka = new Kafka({ brokers: testEnvironment().kafka.split(','), logLevel: logLevel.NOTHING });
let setup: TestIngest;
let topic: TestTopic;
let running: { ingestor: Ingestor; stop: Stop } | undefined;
let admin: TopicAdmin;

beforeAll(async () => {
  setup = await startTestIngest({ KAFKA_BROKERS: testEnvironment().kafka });
  await setup.ingestor.dataSource.initialize();
  admin = new TopicAdmin({ brokers: testEnvironment().kafka.split(','), clientId: 'test' });
});
afterAll(async () => {
  admin.disconnect();
  await setup.ingestor.dataSource.destroy();
  await setup.stop();
});
beforeEach(() =>
  setup.owner.query('truncate avtale, avtale_versjon, endring, konsum_offset, konsum_status, topic_epoke'),
);
afterEach(async () => {
  await stop();
  await topic.remove();
});

async function start(): Promise<Ingestor> {
  const config = {
    ...setup.ingestor.config,
    KAFKA_TOPIC: topic.topic,
    KAFKA_GROUP_ID: topic.topic,
    PORT: await freePort(),
  };
  const ingestor = createIngestor(config, { serveConsole: () => undefined });
  running = { ingestor, stop: await startIngestor(ingestor) };
  return ingestor;
}

async function stop(): Promise<void> {
  await running?.stop();
  running = undefined;
}

const ids = (count: number): string[] => Array.from({ length: count }, randomUUID);

/** Each avtale once; without a second as tombstones. Anew each time: KafkaJS looks for changes of a topic now and then only. */
async function publish(avtaleIder: readonly string[], second?: number): Promise<void> {
  const messages = avtaleIder.map((avtaleId) => ({
    key: avtaleId,
    value:
      second === undefined
        ? null
        : JSON.stringify({ avtaleId, sistEndret: `2026-01-01T00:00:0${String(second)}Z`, avtaleNr: second }),
  }));
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic: topic.topic, acks: -1, messages });
  await producer.disconnect();
}

const countVisible = async (): Promise<number> => {
  const [row] = await setup.owner.query<{ n: number }[]>('select count(*)::int as n from avtale where slettet is null');
  return row?.n ?? -1;
};
const waitForVisible = (count: number): Promise<unknown> =>
  waitUntil(async () => (await countVisible()) === count, { what: `${String(count)} avtaler`, maxMs: 60_000 });

test('partitions are added, so that keys move: every deletion takes effect', async () => {
  topic = await createTestTopic({ partitions: 3 });
  const avtaler = ids(100);
  await start();
  await publish(avtaler, 1);
  await waitForVisible(100);
  await stop();
  await topic.admin.createPartitions({ topicPartitions: [{ topic: topic.topic, count: 4 }] });
  // One that is new has no leader at first.
  const count = async (): Promise<number> => (await topic.admin.fetchTopicOffsets(topic.topic)).length;
  await waitUntil(
    () =>
      count()
        .catch(() => 0)
        .then((known) => known === 4),
    { what: '4 partitions' },
  );
  await publish(avtaler);
  await start();
  await waitForVisible(0);
}, 120_000);

test('the topic is made anew, longer, and then shorter, while it is read: all of it is read, and is after all before it', async () => {
  topic = await createTestTopic();
  const [old, fresh] = [ids(200), ids(400)];
  const ingestor = await start();
  await publish(old, 1);
  await waitForVisible(200);
  await makeAnew();
  await publish(fresh, 1);
  await waitForVisible(600);
  await makeAnew();
  await publish(old.slice(0, 50));
  await waitForVisible(550);
  const epochs = await setup.owner.query<{ topic_id: string }[]>('select topic_id from topic_epoke order by epoke');
  expect(new Set(epochs.map((row) => row.topic_id)).size).toBe(3);
  expect(epochs.at(-1)?.topic_id).toBe((await ingestor.kafka.describe()).id);
}, 180_000);

async function makeAnew(partitions = 1): Promise<void> {
  await topic.admin.deleteTopics({ topics: [topic.topic] });
  await waitUntil(async () => !(await topic.admin.listTopics()).includes(topic.topic), { what: 'no topic' });
  await createTopic(topic.admin, topic.topic, partitions);
}

test('the topic removes what was not read: it is said, and not promised, until the source has been heard', async () => {
  topic = await createTestTopic();
  const [known, lost, later] = [ids(3), ids(2), ids(1)];
  await start();
  await publish(known, 1);
  await waitForVisible(3);
  await waitUntil(async () => (await promised()) !== null, { what: 'a promise' });
  await stop();
  const before = await promised();
  await publish(lost, 1);
  await publish(known.slice(0, 1));
  await topic.forget([{ partition: 0, offset: 6 }]);
  await publish(later, 1);
  const ingestor = await start();
  await waitForVisible(4);
  expect(await gaps()).toEqual([{ partisjon: 0, fra: 3, til: 6, aapent: true }]);
  // Whoever measures, the moment stays.
  await setup.owner.query('update konsum_status set oppdatert_til = clock_timestamp()');
  expect(await promised()).toEqual(before);

  const who = { hvem: 'X', klient: 'test', callId: 'test' } as never;
  const list = (avtaleIder: string[]): Readable =>
    Readable.from(
      avtaleIder.map((avtaleId) =>
        Buffer.from(`${JSON.stringify({ avtaleId, sistEndret: '2026-01-01T00:00:01Z' })}\n`),
      ),
    );
  await ingestor.avstemming.withTopic(who);
  await ingestor.avstemming.withList(list([...known.slice(1), ...lost, ...later]), undefined, who);
  await ingestor.kafka.watch.round();
  expect(await gaps()).toMatchObject([{ aapent: true }]);
  // The source sends what is lacking, and says that it has deleted one.
  await publish(lost, 1);
  await publish(known.slice(0, 1));
  await waitForVisible(5);
  await ingestor.kafka.watch.round();
  expect(await gaps()).toMatchObject([{ aapent: false }]);
  await waitUntil(async () => (await promised()) !== before, { what: 'a newer promise' });
}, 120_000);

test('what was left of a topic that is made anew is a gap, as far as it reached itself, also when its end is asked for meanwhile', async () => {
  topic = await createTestTopic();
  const { meter, watch } = jobs();
  await publish(ids(150));
  await watch.round();
  await read(0, 150);
  await meter.measure();
  const before = await promised();
  await publish(ids(50));
  await meter.measure();
  await makeAnew();
  // Before anybody has begun to read it; also by one who starts just then.
  await meter.measure();
  await jobs().meter.measure();
  expect(await promised()).toBe(before);
  await watch.round();
  expect(await gaps()).toEqual([{ partisjon: 0, fra: 150, til: 200, aapent: true }]);
  await meter.measure();
  expect(await promised()).toBe(before);
}, 60_000);

test('a topic that was read to its end leaves no gap, however long the next one is', async () => {
  topic = await createTestTopic();
  const { meter, watch } = jobs();
  await publish(ids(20));
  await watch.round();
  await read(0, 20);
  await meter.measure();
  const before = await promised();
  await makeAnew();
  await publish(ids(40));
  await meter.measure();
  await watch.round();
  expect(await gaps()).toEqual([]);
  await meter.measure();
  expect(await promised()).toBe(before);
  await read(0, 40);
  await meter.measure();
  expect((await promised()) === before).toBe(false);
  // And once more, twice before it is measured.
  await makeAnew();
  await publish(ids(5));
  await watch.round();
  await makeAnew();
  await watch.round();
  expect(await gaps()).toEqual([{ partisjon: 0, fra: 0, til: 5, aapent: true }]);
}, 60_000);

test('a topic that is made anew with fewer partitions: what was left of the others is a gap, and they are kept until it is closed', async () => {
  topic = await createTestTopic({ partitions: 3 });
  const { meter, watch } = jobs();
  await watch.round();
  await meter.measure();
  const before = await promised(1);
  await topic.publish([1, 1, 1, 2].map((partition) => ({ key: randomUUID(), value: null, partition })));
  await read(1, 1);
  await read(2, 1);
  await meter.measure();
  await makeAnew();
  await meter.measure();
  await meter.measure();
  expect(await promised(1)).toBe(before);
  for (let rounds = 0; rounds < 2; rounds++) {
    await watch.round();
    await meter.measure();
    expect(await gaps()).toEqual([{ partisjon: 1, fra: 1, til: 3, aapent: true }]);
    expect(await promised(1)).toBe(before);
    expect(await known()).toEqual([0, 1]);
  }
  await setup.owner.query('update konsum_hull set lukket = now() where topic = $1', [topic.topic]);
  await watch.round();
  expect(await known()).toEqual([0]);
  // Who has slept since it saw that topic takes nothing from the next.
  await makeAnew(2);
  await watch.round();
  await meter.measure();
  await setup.ingestor.dataSource.transaction((db) => forgetPartitions(db, topic.topic, { epoch: 1, count: 1 }));
  expect(await known()).toEqual([0, 1]);
}, 60_000);

/** The partitions that something is kept of. */
async function known(): Promise<number[]> {
  const rows = await setup.owner.query<{ partisjon: number }[]>(
    `select partisjon from konsum_offset where topic = $1
     union select partisjon from konsum_status where topic = $1 order by partisjon`,
    [topic.topic],
  );
  return rows.map(({ partisjon: partition }) => partition);
}

/** What an ingestor does beside the stream, which a spec is in the place of. */
function jobs(): { meter: FreshnessMeter; watch: TopicWatch } {
  const { dataSource } = setup.ingestor;
  const describe = (): ReturnType<TopicAdmin['describe']> => admin.describe(topic.topic);
  return {
    meter: new FreshnessMeter(dataSource, topic.topic, describe),
    watch: new TopicWatch(dataSource, [{ topic: topic.topic, resource: 'avtaler' }], describe),
  };
}

/** As the stream does when it has stored what is before it. */
async function read(partition: number, next: number): Promise<void> {
  await setup.owner.query('update konsum_offset set neste_offset = $3 where topic = $1 and partisjon = $2', [
    topic.topic,
    partition,
    next,
  ]);
}

async function gaps(): Promise<unknown[]> {
  return setup.owner.query(
    `select partisjon, fra_offset::int as fra, til_offset::int as til, lukket is null as aapent from konsum_hull
     where topic = $1 order by id`,
    [topic.topic],
  );
}

async function promised(partition = 0): Promise<string | null> {
  const [row] = await setup.owner.query<{ til: string | null }[]>(
    'select oppdatert_til::text as til from konsum_status where topic = $1 and partisjon = $2',
    [topic.topic, partition],
  );
  return row?.til ?? null;
}
