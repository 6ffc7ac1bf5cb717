import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { LOCAL_DIR } from '@tiltak/testing';
import { expected, type PositionedSourceMessage } from './oracle/oracle.ts';
import { createEvents } from './events.ts';
import { createIdentEvents, participantsIn } from './identer.ts';
import type { SourceMessage } from './source/source-message.ts';
import { publish } from './publish.ts';
import { SimulateUsageError, readOptions, type Stack, type SimulateOptions } from './options.ts';

try {
  await simulate(readOptions(process.argv.slice(2), process.env, readStack()));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function simulate(options: SimulateOptions): Promise<void> {
  const kafka = new Kafka({ brokers: options.brokers, logLevel: logLevel.NOTHING, retry: { retries: 3 } });
  const partitions = await partitionCount(kafka, options);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await publishAll(producer, partitions, options);
  } finally {
    await producer.disconnect();
  }
}

async function publishAll(producer: Producer, partitions: number, options: SimulateOptions): Promise<void> {
  const { topic, identer, source, pace, state } = options;
  const all = 'file' in source ? readFile(source.file) : createEvents(source);
  const seed = 'file' in source ? 1 : source.seed;
  const messages = identer ? createIdentEvents(await participantsIn(all), seed) : all;
  const from = performance.now();
  // Kept only when the state is asked for.
  const published: PositionedSourceMessage[] = [];
  let count = 0;
  for await (const message of publish(producer, topic, messages, { partitions, pace })) {
    count++;
    if (state !== undefined) published.push(message);
  }
  const seconds = ((performance.now() - from) / 1_000).toFixed(1);
  console.log(`${String(count)} messages published to ${topic} in ${seconds} s`);
  if (state !== undefined) writeState(state, published);
}

/** What the messages of this run come to, without regard to what was on the topic before. Holds national idents. */
function writeState(file: string, published: PositionedSourceMessage[]): void {
  const { avtaler, slettet: deleted, parkert: parked } = expected(published);
  const state = { avtaler: [...avtaler.values()], slettet: Object.fromEntries(deleted), parkert: parked };
  writeFileSync(file, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}

async function partitionCount(kafka: Kafka, { brokers, topic }: SimulateOptions): Promise<number> {
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch {
    throw new SimulateUsageError(
      `Kafka does not answer at ${brokers.join(', ')}: start the local stack, or set KAFKA_BROKERS.`,
    );
  }
  try {
    const topics = await admin.listTopics();
    if (!topics.includes(topic)) throw new SimulateUsageError(`--topic: Kafka has no topic ${topic}.`);
    const { topics: metadata } = await admin.fetchTopicMetadata({ topics: [topic] });
    return metadata[0]?.partitions.length ?? 0;
  } finally {
    await admin.disconnect();
  }
}

/** Of several stacks in the checkout, the one whose issuer has the port that is set, as for all commands. */
function readStack(issuerPort = process.env['ISSUER_PORT']): Stack | undefined {
  const other = join(LOCAL_DIR, `ready-${issuerPort ?? ''}.json`);
  const file = existsSync(other) ? other : join(LOCAL_DIR, 'ready.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Stack) : undefined;
}

/** Each line as it is; the key is the avtaleId it holds. One without gets an empty key: a compacted topic demands one. */
async function* readFile(file: string): AsyncGenerator<SourceMessage> {
  for await (const line of createInterface({ input: createReadStream(file, 'latin1'), crlfDelay: Infinity })) {
    if (line === '') continue;
    // Read and sent byte by byte, so that also what isn't UTF-8 arrives as it is.
    const value = Buffer.from(line, 'latin1');
    yield { key: avtaleIdIn(value.toString('utf8')), value };
  }
}

function avtaleIdIn(line: string): string {
  try {
    const message = JSON.parse(line) as { avtaleId?: unknown } | null;
    return typeof message?.avtaleId === 'string' ? message.avtaleId : '';
  } catch {
    return '';
  }
}
