import { setTimeout as wait } from 'node:timers/promises';
import { createTestTopic, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { Kafka, logLevel } from 'kafkajs';
import { register } from 'prom-client';
import { forgetPartitions, noteGap } from '../kafka/gaps.queries.ts';
import { TopicAdmin, type TopicDescription } from '../kafka/topic-admin.ts';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { FreshnessMeter } from './freshness.job.ts';

const brokers = testEnvironment().kafka.split(',');
let setup: TestIngest;
let topic: TestTopic;
let admin: TopicAdmin;
let meter: FreshnessMeter;

beforeAll(async () => {
  setup = await startTestIngest();
  await setup.ingestor.dataSource.initialize();
  admin = new TopicAdmin({ brokers, clientId: 'test' });
}, 60_000);
afterAll(async () => {
  admin.disconnect();
  await setup.ingestor.dataSource.destroy();
  await setup.stop();
});
beforeEach(async () => {
  await setup.owner.query('truncate konsum_status, ressurs_status, konsum_offset, konsum_hull');
  topic = await createTestTopic({ partitions: 2 });
  const { id } = await admin.describe(topic.topic);
  await setup.owner.query('insert into topic_epoke (topic, epoke, topic_id) values ($1, 0, $2)', [topic.topic, id]);
  meter = newMeter();
});
afterEach(() => topic.remove());

/** @param delay before Kafka answers */
function newMeter(delay?: () => void | Promise<void>, resource?: string): FreshnessMeter {
  const describe = async (): Promise<TopicDescription> => {
    await delay?.();
    return admin.describe(topic.topic);
  };
  return new FreshnessMeter(setup.ingestor.dataSource, topic.topic, describe, resource);
}

/** As the stream does when it has stored what is before it. */
async function setPosition(partition: number, next: number): Promise<void> {
  await setup.owner.query(
    `insert into konsum_offset values ($1, $2, $3)
     on conflict (topic, partisjon) do update set neste_offset = excluded.neste_offset`,
    [topic.topic, partition, next],
  );
}

/** Up to when each partition is included; after a measurement. */
async function measured(): Promise<(Date | null)[]> {
  await meter.measure();
  return stored();
}

async function stored(): Promise<(Date | null)[]> {
  const rows = await setup.owner.query<{ oppdatert_til: Date | null }[]>(
    'select oppdatert_til from konsum_status order by partisjon',
  );
  return rows.map(({ oppdatert_til: moment }) => moment);
}

const databaseClock = async (): Promise<Date> => {
  const [row] = await setup.owner.query<{ at: Date }[]>('select clock_timestamp() as at');
  return row?.at ?? new Date(Number.NaN);
};

const publish = (partition: number): Promise<unknown> => topic.publish([{ key: 'a', value: 'b', partition }]);

async function metric(name: string, partition?: number): Promise<number> {
  const found = await register.getSingleMetric(name)?.get();
  const isMeant = ({ labels }: { labels: object }): boolean =>
    partition === undefined || ('partisjon' in labels && labels.partisjon === partition);
  return Number(found?.values.find(isMeant)?.value);
}

test('a partition that is added takes nothing of what is promised, and promises no more until it has been read', async () => {
  await publish(0);
  expect(await measured()).toEqual([null, expect.any(Date)]);
  await setPosition(0, 1);
  const [first = null, second = null] = await measured();
  expect(first).toEqual(second);
  await topic.admin.createPartitions({ topicPartitions: [{ topic: topic.topic, count: 4 }] });
  await publishToNew(3);
  const [, , empty = null, filled = null] = await measured();
  // It counts from when it was last seen not to be there; the one that is empty holds all that it was sent.
  expect(filled).toEqual(first);
  expect((empty ?? new Date(0)) > (filled ?? new Date())).toBe(true);
  // Also for who comes anew, and finds it there.
  meter = newMeter();
  expect((await measured())[3]).toEqual(first);
  await setPosition(3, 1);
  expect(((await measured())[3] ?? new Date(0)) > (first ?? new Date())).toBe(true);
}, 30_000);

/** Once the broker knows of the partition. */
async function publishToNew(partition: number): Promise<void> {
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer({
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  await producer.connect();
  const send = (): Promise<unknown> =>
    producer.send({ topic: topic.topic, messages: [{ key: 'a', value: 'b', partition }] }).catch(() => undefined);
  await waitUntil(send, { what: 'the new partition' });
  await producer.disconnect();
}

test("what is behind another's open transaction is not promised, and how long it has been open is told", async () => {
  expect(await measured()).toEqual([expect.any(Date), expect.any(Date)]);
  const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer({
    ...{ transactionalId: topic.topic, maxInFlightRequests: 1, idempotent: true },
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: topic.topic, messages: [{ key: 'a', value: 'c', partition: 0 }] });
  const [before] = await measured();
  await publish(0);
  const published = await databaseClock();
  // A reader is at the end of what it may read.
  await setPosition(0, 0);
  await wait(20);
  const [behind = null, other = null] = await measured();
  expect(behind).toEqual(before);
  expect([behind, other].map((moment) => moment !== null && moment > published)).toEqual([false, true]);
  expect(await metric('ingestor_etterslep_meldinger', 0)).toBe(2);
  expect(await metric('ingestor_uleselig_meldinger', 0)).toBe(2);
  expect(await metric('ingestor_aapen_transaksjon_sekunder', 0)).toBeGreaterThan(0);
  await transaction.commit();
  await producer.disconnect();
  await setPosition(0, 3);
  await waitUntil(async () => ((await measured())[0] ?? new Date(0)) > published, { what: 'the end to be reached' });
  await waitUntil(async () => (await measured()) && (await metric('ingestor_aapen_transaksjon_sekunder', 0)) === 0, {
    what: 'the transaction to be over',
  });
}, 30_000);

test("the process's clock is asked for nothing, and a moment that is later than now is taken back, and said", async () => {
  await measured();
  const clock = Date;
  globalThis.Date = class extends clock {
    constructor(...time: [] | [number]) {
      super(...((time.length === 0 ? [clock.now() + 600_000] : time) as [number]));
    }
    static override now = (): number => clock.now() + 600_000;
  } as DateConstructor;
  const [ahead = null] = await measured().finally(() => (globalThis.Date = clock));
  expect(ahead !== null && ahead <= (await databaseClock())).toBe(true);
  // As a database's clock that was ahead leaves it, or a version before this one.
  await setup.owner.query(`update konsum_status set oppdatert_til = now() + interval '10 minutes'`);
  const times = await metric('ingestor_ferskhet_tilbake_total');
  const [healed = null] = await measured();
  expect(healed !== null && healed <= (await databaseClock())).toBe(true);
  expect(await metric('ingestor_ferskhet_tilbake_total')).toBe(times + 1);
  // What has not been read by now is not promised by that.
  await publish(0);
  const published = await databaseClock();
  await setup.owner.query(`update konsum_status set oppdatert_til = now() + interval '10 minutes'`);
  const [behind = null] = await measured();
  expect(behind !== null && behind < published).toBe(true);
});

test("a resource's topic is measured as that of avtaler, and promises nothing of them", async () => {
  const { owner } = setup;
  const rows = (): Promise<{ ressurs: string; til: Date | null }[]> =>
    owner.query('select ressurs, oppdatert_til as til from ressurs_status order by topic = $1, partisjon', [
      topic.topic,
    ]);
  // Of another resource, and long ago.
  await owner.query(`insert into ressurs_status values ('kontorer', 'another', 0, 0, '2026-01-01')`);
  meter = newMeter(undefined, 'virksomheter');
  await publish(0);
  await meter.measure();
  const [other, ...first] = await rows();
  expect(first).toEqual([
    { ressurs: 'virksomheter', til: null },
    { ressurs: 'virksomheter', til: expect.any(Date) },
  ]);
  const shown = await register.getSingleMetric('ingestor_etterslep_ressurs')?.get();
  const ofOurs = { ressurs: 'virksomheter', partisjon: 0 };
  expect(shown?.values).toContainEqual(expect.objectContaining({ labels: ofOurs, value: 1 }));
  await setPosition(0, 1);
  await meter.measure();
  const [, { til: loaded } = { til: null }] = await rows();
  expect(loaded).toEqual(expect.any(Date));
  // What is lost before it is read is promised by nothing that comes after it.
  await setup.ingestor.dataSource.transaction((db) =>
    noteGap(db, { topic: topic.topic, epoch: 0, partition: 0, from: 1, to: 3 }),
  );
  await meter.measure();
  const [, held, free] = await rows();
  expect([held?.til, (free?.til ?? 0) > (loaded ?? 0)]).toEqual([loaded, true]);
  // A partition that the topic does not have any more goes, and the other resource is as it was.
  await setup.ingestor.dataSource.transaction((db) => forgetPartitions(db, topic.topic, { epoch: 1, count: 1 }));
  expect(await rows()).toEqual([other, held]);
  expect(await owner.query('select from konsum_status')).toEqual([]);
});

test('a partition that is gone, with the topic that was there before, holds nothing back', async () => {
  await measured();
  await setup.owner.query(`insert into konsum_status values ($1, 7, 100, '2026-01-01T00:00:00Z')`, [topic.topic]);
  const [first = null, , gone = null] = await measured();
  expect(gone).toEqual(first);
});

test('an ingestor that waits for Kafka while another measures takes nothing back', async () => {
  await setup.owner.query(`insert into konsum_status values ($1, 7, 100, '2026-01-01T00:00:00Z')`, [topic.topic]);
  const [asked, answer] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const slow = newMeter(async () => {
    asked.resolve(undefined);
    await answer.promise;
  });
  const round = slow.measure();
  await asked.promise;
  const moments = await measured();
  answer.resolve(undefined);
  await round;
  expect(await stored()).toEqual(moments);
  expect(moments).toEqual([expect.any(Date), expect.any(Date), expect.any(Date)]);
});

test('a round in which Kafka was away says nothing', async () => {
  await measured();
  await setup.owner.query('update konsum_status set slutt_offset = 99');
  const clock = performance.now.bind(performance);
  const late = newMeter(() => {
    performance.now = () => clock() + 60_000;
  });
  await late.measure().finally(() => (performance.now = clock));
  const rows = await setup.owner.query<{ n: number }[]>('select slutt_offset::int as n from konsum_status');
  expect(rows).toEqual([{ n: 99 }, { n: 99 }]);
});
