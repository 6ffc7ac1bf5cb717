import { zstdCompressSync } from 'node:zlib';
import { startJavaProducer, testEnvironment, waitUntil, type JavaProducer, type JavaStep } from '@tiltak/testing';
import kafkajs, { CompressionTypes, type Admin } from 'kafkajs';
import { register } from 'prom-client';
import { startTestAdapter, type TestAdapter, CONTRACT } from '../testing/test-adapter.ts';
import { encodeBatch } from '../testing/record-batch.ts';
import { MAX_INFLATED_BYTES } from './codecs.ts';
import { createKafka } from './client.ts';
import { GroupWatch } from './group-watch.job.ts';

/** The stream on a real broker, with what Kafka's own producer and administrators do to a topic. */
let setup: TestAdapter;
let admin: Admin;
let java: JavaProducer;
const topic = (): string => setup.topic.topic;
beforeAll(async () => {
  setup = await startTestAdapter();
  ({ admin } = setup.topic);
  java = await startJavaProducer(topic());
}, 180_000);
afterAll(async () => {
  await java.stop();
  await setup.stop();
});

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const value = (n: number, nr = n): string =>
  JSON.stringify({ avtaleId: id(n), sistEndret: '2026-01-01T00:00:00Z', avtaleNr: nr });
const send = (n: number, partition: number): JavaStep => ({ key: id(n), value: value(n), partition });
const publish = (partition: number, ...numbers: number[]): Promise<unknown> =>
  setup.topic.publish(numbers.map((n) => ({ key: id(n), value: value(n), partition })));

async function positions(): Promise<number[]> {
  const rows = await setup.owner.query<{ next: string }[]>(
    'select neste_offset as next from konsum_offset where topic = $1 order by partisjon',
    [topic()],
  );
  return rows.map(({ next }) => Number(next));
}

async function ends(): Promise<number[]> {
  const offsets = await admin.fetchTopicOffsets(topic());
  return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
}

/** Until the stored position of each partition is its end. */
function allStored(partitions?: number[]): Promise<unknown> {
  return waitUntil(
    async () => {
      const [stored, end] = [await positions(), await ends()];
      return (partitions ?? [...end.keys()]).every((partition) => stored[partition] === end[partition]);
    },
    { what: 'the end of the partitions to be stored', maxMs: 150_000 },
  );
}

const metric = async (name: string, labels: Record<string, unknown>): Promise<number | undefined> => {
  const values = (await register.getSingleMetric(name)?.get())?.values ?? [];
  return values.find((one) => Object.entries(labels).every(([key, wanted]) => one.labels[key] === wanted))?.value;
};

test('all codecs of a java producer are read, and a transaction that was aborted last does not hold the position', async () => {
  await java.produce(
    ...(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).flatMap((codec, n): JavaStep[] => [
      { codec },
      send(100 + n, 0),
      send(200 + n, 1),
      send(300 + n, 0),
    ]),
    { codec: 'lz4', transactionalId: topic() },
    'begin',
    send(400, 0),
    'commit',
    'begin',
    send(401, 0),
    send(402, 1),
    'abort',
  );
  await allStored();
  const visible = Object.values(await setup.visible());
  expect(visible).toEqual([...[100, 200, 300].flatMap((from) => [0, 1, 2, 3, 4].map((n) => from + n)), 400]);
}, 180_000);

describe('a partition that does not get on', () => {
  const refuse = (n: number): Promise<unknown> =>
    setup.owner.query(`
      create function avvis() returns trigger language plpgsql as $$ begin
        if new.avtale_id = '${id(n)}' then raise exception using errcode = '55P03'; end if; return new;
      end $$;
      create trigger avvis before insert on avtale for each row execute function avvis()`);
  const allow = (): Promise<unknown> => setup.owner.query('drop function avvis() cascade');

  test('holds no other, and goes on where the topic does when records were deleted in front of it', async () => {
    await refuse(600);
    await publish(0, 600);
    const [held] = await positions();
    await waitUntil(async () => ((await metric('ingestor_partisjon_stanset_sekunder', { partisjon: 0 })) ?? 0) > 0, {
      what: 'the partition to be told of',
    });
    await publish(1, 610, 611, 612);
    await allStored([1]);
    await publish(0, 601, 602, 603);
    const [end = 0] = await ends();
    await setup.topic.forget([{ partition: 0, offset: end - 1 }]);
    expect((await positions())[0]).toBe(held);
    await allow();
    await allStored();
    expect(await setup.visible()).toMatchObject({ [id(603)]: 603, [id(612)]: 612 });
    expect(await metric('ingestor_partisjon_stanset_sekunder', { partisjon: 0, aarsak: 'IKKE_LAGRET' })).toBe(0);
  }, 180_000);

  test('for a batch that inflates without end waits for somebody to park it, while the others go on', async () => {
    const before = (await positions())[0] ?? 0;
    await sendBomb();
    await publish(0, 701);
    await publish(1, 711);
    await allStored([1]);
    const [held] = await waitUntil(
      async () => {
        const { body } = await setup.call('GET', '/drift/v1/stansede');
        return body.stansede.length > 0 ? (body.stansede as Record<string, unknown>[]) : undefined;
      },
      { what: 'the batch to be held' },
    );
    expect(held).toMatchObject({ topic: topic(), partisjon: 0, fraOffset: before, tilOffset: before });
    expect(held?.['aarsak']).toMatch(/inflates to more than/);
    expect((await positions())[0]).toBe(before);
    expect(await metric('ingestor_partisjon_stanset_sekunder', { aarsak: 'UDEKODBAR' })).toBeGreaterThanOrEqual(0);

    const path = `/drift/v1/stansede/${String(held?.['id'])}/parker`;
    const { status, body } = await setup.call('POST', path);
    expect(status).toBe(200);
    expect((await setup.call('POST', path)).status).toBe(404);
    await allStored();
    expect(await setup.visible()).toMatchObject({ [id(701)]: 701, [id(711)]: 711 });
    expect((await setup.call('GET', '/drift/v1/stansede')).body).toEqual({ stansede: [] });
    const [action] = (await setup.call('GET', '/drift/v1/handlinger')).body.handlinger;
    expect(action).toMatchObject({ handling: 'PARKER_STANSET', gjelder: body.parkert });
    const parked = await setup.call('GET', `/drift/v1/parkerte/${String(body.parkert)}`);
    expect(parked.body).toMatchObject({ kode: 'UDEKODBAR', offset: before, tilstand: 'PARKERT' });
    const replayed = await setup.call('POST', `/drift/v1/parkerte/${String(body.parkert)}/spill-av`);
    expect(replayed.body).toEqual({ utfall: 'PARKERT' });
    await waitUntil(async () => (await metric('ingestor_partisjon_stanset_sekunder', { aarsak: 'UDEKODBAR' })) === 0, {
      what: 'the partition to get on',
    });
  }, 180_000);
});

/** One record that a broker lets in and nobody should inflate: no producer of ours makes it. */
async function sendBomb(): Promise<void> {
  kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(zstdCompressSync(buffer)),
    decompress: () => Promise.reject(new Error('not here')),
  });
  const producer = createKafka({
    brokers: testEnvironment().kafka.split(','),
    clientId: 'bomb',
    retries: 3,
  }).producer();
  await producer.connect();
  const messages = [{ partition: 0, key: id(700), value: Buffer.alloc(MAX_INFLATED_BYTES + 1) }];
  await producer.send({ topic: topic(), compression: CompressionTypes.ZSTD, messages });
  await producer.disconnect();
}

test('a parked batch that can be read by now is played back, each message at its own place', async () => {
  const records = [800, 801].map((n, offset) => ({
    offset: 1_000 + offset,
    timestamp: Date.now(),
    key: Buffer.from(id(n)),
    value: Buffer.from(n === 801 ? '{' : value(n)),
    headers: [],
  }));
  const plain = { producerId: -1, transactional: false, control: false, codec: 3, first: 1_000, last: 1_001 };
  const [row] = await setup.owner.query<{ id: string }[]>(
    `insert into parkert_melding (topic, partisjon, kafka_offset, verdi, avtrykk, kode, aarsak)
     values ($1, 0, 1000, $2, 'x', 'UDEKODBAR', 'offsets 1000 to 1001: it was so') returning id`,
    [topic(), encodeBatch({ ...plain, records })],
  );
  const { body } = await setup.call('POST', `/drift/v1/parkerte/${String(row?.id)}/spill-av`);
  expect(body).toEqual({ utfall: 'TATT_INN' });
  expect((await setup.visible())[id(800)]).toBe(800);
  const { parkert_melding: parked } = await setup.dump();
  const inRange = parked.filter(({ kafka_offset: offset }) => [1_000, 1_001].includes(Number(offset)));
  expect(inRange).toMatchObject([
    { kode: 'UDEKODBAR', tilstand: 'SPILT_AV', verdi: null },
    { kafka_offset: 1_001, kode: 'IKKE_JSON', tilstand: 'PARKERT' },
  ]);
}, 60_000);

test('a partition that is added is read within seconds', async () => {
  await admin.createPartitions({ topicPartitions: [{ topic: topic(), count: 3 }] });
  await java.produce({ codec: 'none' }, send(900, 2));
  await allStored();
  expect((await setup.visible())[id(900)]).toBe(900);
}, 180_000);

test('members of the group that are no ingestor are told of, and that they leave none of the partitions', async () => {
  const { KAFKA_GROUP_ID: groupId = '' } = setup.ingestor.config;
  const stranger = createKafka({ brokers: testEnvironment().kafka.split(','), clientId: 'stranger', retries: 3 });
  const consumer = stranger.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic: topic() });
  await consumer.run({ eachMessage: () => Promise.resolve() });
  const membership = { isMember: true, assigned: 0 };
  const watch = new GroupWatch(admin, membership, { groupId, clientId: 'ingestor-nav' });
  try {
    await waitUntil(
      async () => {
        await watch.round();
        return (await metric('ingestor_gruppemedlemmer', { slag: 'FREMMEDE' })) === 1;
      },
      { what: 'the stranger to be seen' },
    );
    expect(watch.isConsuming).toBe(false);
    membership.assigned = 1;
    expect(watch.isConsuming).toBe(true);
  } finally {
    await consumer.disconnect();
  }
  membership.assigned = 0;
  await watch.round();
  expect(watch.isConsuming).toBe(true);
}, 60_000);

test('a topic with a small limit takes a large page in smaller requests, and what is too large for it is named', async () => {
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: topic(), configEntries: [{ name: 'max.message.bytes', value: '3000' }] }],
  });
  await setup.send('PUT', 'kontrakt', CONTRACT);
  const entry = (n: number, bedriftNavn: string): { id: string } & Record<string, unknown> => ({
    ...{ id: id(n), avtaleNr: n, bedriftNavn },
  });
  const page = await setup.sendPage(
    'PATCH',
    { synkId: 'stor' },
    Array.from({ length: 40 }, (_, n) => entry(1_000 + n, 'x'.repeat(500))),
  );
  expect(page.status).toBe(201);
  const refused = await setup.sendPage('PATCH', { synkId: 'for-stor' }, [
    entry(1_100, 'x'),
    entry(1_101, '’'.repeat(1_000)),
  ]);
  expect(refused.body).toMatchObject({
    status: 400,
    feil: [
      {
        felt: 'ressurser[1].ressurs',
        melding: expect.stringMatching(/larger than the organisation's topic/) as string,
      },
    ],
  });
}, 60_000);
