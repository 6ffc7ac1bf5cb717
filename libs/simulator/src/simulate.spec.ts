import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import {
  runProgram,
  createWorkDir,
  freePort,
  createTestTopic,
  ROOT,
  testEnvironment,
  type TestTopic,
} from '@tiltak/testing';
import { expected, type PositionedSourceMessage } from './oracle/oracle.ts';
import { createEvents } from './events.ts';
import { publish } from './publish.ts';

const PARTITIONS = 3;
let topic: TestTopic;
let dir: ReturnType<typeof createWorkDir>;
beforeAll(async () => {
  topic = await createTestTopic({ partitions: PARTITIONS });
  dir = createWorkDir('simuler');
});
afterAll(async () => {
  await topic.remove();
  dir.clean();
});

const kafka = new Kafka({ brokers: testEnvironment().kafka.split(','), logLevel: logLevel.NOTHING });

/** What lies on the topic, once there are so many messages. */
async function read(count: number): Promise<PositionedSourceMessage[]> {
  const consumer = kafka.consumer({ groupId: `les-${topic.topic}-${String(count)}` });
  await consumer.connect();
  await consumer.subscribe({ topic: topic.topic, fromBeginning: true });
  const wasRead: PositionedSourceMessage[] = [];
  await new Promise<void>((done, error) => {
    consumer
      .run({
        eachMessage: ({ partition, message: { key, value, offset } }) => {
          wasRead.push({ key, value, partition, offset: Number(offset) });
          if (wasRead.length === count) done();
          return Promise.resolve();
        },
      })
      .catch(error);
  });
  await consumer.disconnect();
  return wasRead;
}

const simulate = (...args: string[]): ReturnType<typeof runProgram> =>
  runProgram(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning',
      'libs/simulator/src/simulate.ts',
      ...args,
    ],
    {
      cwd: ROOT,
      env: { ...process.env, NODE_OPTIONS: '', KAFKA_BROKERS: testEnvironment().kafka, INIT_CWD: dir.directory },
    },
  );
const afterPosition = (a: PositionedSourceMessage, b: PositionedSourceMessage): number =>
  a.partition - b.partition || a.offset - b.offset;
const asText = ({ key, value, partition, offset }: PositionedSourceMessage): string =>
  [partition, offset, key, value].map(String).join('|');

test('messages are where publishing said that they are, and the state is what they come to', async () => {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = createEvents({ count: 1_200, seed: 9, poison: true });
  const positioned: PositionedSourceMessage[] = [];
  for await (const message of publish(producer, topic.topic, messages, { partitions: PARTITIONS }))
    positioned.push(message);
  await producer.disconnect();
  const wasRead = await read(1_200);
  expect(wasRead.sort(afterPosition).map(asText)).toEqual(positioned.sort(afterPosition).map(asText));
  expect(new Set(positioned.map(({ partition }) => partition)).size).toBe(PARTITIONS);
  expect(expected(wasRead)).toEqual(expected(positioned));

  const lines = ['{"avtaleId":"a", "x":1 }', 'ikke json', '{"å":"æ"}', '12'];
  writeFileSync(join(dir.directory, 'linjer.jsonl'), `${lines.join('\n')}\n\n`);
  const { code, printout } = await simulate('--fil', 'linjer.jsonl', '--topic', topic.topic);
  expect([code, printout]).toEqual([0, expect.stringMatching(/^4 messages published to \S+ in \d+\.\d s\n$/)]);
  const fresh = (await read(1_204))
    .sort(afterPosition)
    .filter((m) => !wasRead.some((old) => afterPosition(m, old) === 0));
  expect(fresh.map(({ key, value }) => [String(key), String(value)]).sort()).toEqual(
    lines.map((line) => [line.includes('avtaleId') ? 'a' : '', line]).sort(),
  );
});

test('the state of a run is written when asked for', async () => {
  const { code } = await simulate(
    '--antall',
    '300',
    '--gift',
    '--takt',
    '3000',
    '--topic',
    topic.topic,
    '--tilstand',
    'ut.json',
  );
  expect(code).toBe(0);
  const state = JSON.parse(readFileSync(join(dir.directory, 'ut.json'), 'utf8')) as Record<string, unknown[]>;
  expect(state['avtaler']?.length).toBeGreaterThan(10);
  expect(state['parkert']).toHaveLength(3);
});

test.each([
  [['--antall', 'x'], /^--antall must be a whole number/],
  [['--antall', '1', '--topic', 'finnes-ikke'], /^--topic: Kafka has no topic finnes-ikke\.\n$/],
])('%j ends with a sentence', async (args, said) => {
  const { code, printout } = await simulate(...args);
  expect([code, printout]).toEqual([1, expect.stringMatching(said)]);
});

test('a broker that is away is said in a sentence', async () => {
  const { code, printout } = await runProgram(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning',
      'libs/simulator/src/simulate.ts',
      '--antall',
      '1',
      '--topic',
      't',
    ],
    { cwd: ROOT, env: { ...process.env, NODE_OPTIONS: '', KAFKA_BROKERS: `127.0.0.1:${String(await freePort())}` } },
  );
  expect([code, printout]).toEqual([1, expect.stringMatching(/^Kafka does not answer at 127\.0\.0\.1:\d+/)]);
});
