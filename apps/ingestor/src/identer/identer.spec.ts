import { randomUUID } from 'node:crypto';
import { createTestTopic, syntheticFnr, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { deltakerId, ID, message } from '../testing/test-ingest.ts';
import { startTestIngestor, type TestIngestor } from '../testing/test-ingestor.ts';

let topics: TestTopic[];
let ingestor: TestIngestor;
const IDENTS = [syntheticFnr(1, 'DNR'), syntheticFnr(2)];
const AKTOER = '1'.repeat(13);

beforeAll(async () => {
  topics = [await createTestTopic(), await createTestTopic({ partitions: 2 })];
  const [avtaler, identer] = topics;
  ingestor = await startTestIngestor({
    KAFKA_BROKERS: testEnvironment().kafka,
    KAFKA_TOPIC: avtaler?.topic ?? '',
    KAFKA_GROUP_ID: randomUUID(),
    IDENT_TOPIC: identer?.topic ?? '',
  });
});
afterAll(async () => {
  await ingestor.stop();
  for (const topic of topics) await topic.remove();
});

const deltakere = async (): Promise<string[]> => {
  const rows = await ingestor.owner.query<{ id: string }[]>('select deltaker_id as id from avtale order by avtale_id');
  return rows.map(({ id }) => id);
};

test('both topics are read from Kafka, each with positions of its own', async () => {
  const [avtaler, identer] = topics;
  const toKafka = (ident: string, n: number): { key: Buffer | null; value: Buffer | null } =>
    message(0, { avtaleId: ID.replace(/.$/, String(n)), deltakerFnr: ident });
  await avtaler?.publish(IDENTS.map(toKafka));
  await waitUntil(async () => (await deltakere()).length === 2, { what: 'the avtaler' });
  const identifikatorer = IDENTS.map((idnummer, n) => ({ idnummer, type: 'FOLKEREGISTERIDENT', gjeldende: n === 1 }));
  await identer?.publish([{ key: AKTOER, value: JSON.stringify({ identifikatorer }) }]);
  await waitUntil(async () => new Set(await deltakere()).size === 1, { what: 'the avtaler to be one participant’s' });
  expect(IDENTS.map(deltakerId)).toContain((await deltakere())[0]);
  await identer?.publish([{ key: AKTOER, value: null }]);
  await waitUntil(async () => new Set(await deltakere()).size === 2, { what: 'the person to be gone' });
  const { konsum_offset: positions } = await ingestor.dump();
  expect(Object.fromEntries(Map.groupBy(positions, (row) => String(row['topic'])))).toMatchObject({
    [String(avtaler?.topic)]: [{ neste_offset: 2 }],
    [String(identer?.topic)]: expect.arrayContaining([expect.objectContaining({ neste_offset: 2 })]),
  });
});
