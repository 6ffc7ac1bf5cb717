import { join } from 'node:path';
import { Kafka, logLevel, Partitioners, type Admin } from 'kafkajs';
import pg from 'pg';
import { runProgram, createTopic, ROOT, waitUntil } from '@tiltak/testing';
import { exampleAvtale } from './example-avtale.ts';
import { exampleVirksomheter } from './example-virksomheter.ts';
import { COMPILE_CACHE, environmentWith, StartError } from './options.ts';
import { onMeasureToday } from './sample-persons.ts';

const FILE = join(ROOT, 'libs', 'simulator', 'src', 'data', 'avtale-events.jsonl');

async function withAdmin<T>(brokers: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Undefined while Kafka makes or loads what it is asked for: kafkajs does not try each such call again itself. */
async function unlessBusy<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && 'retriable' in error && error.retriable === true) return undefined;
    throw error;
  }
}

async function hasOffsets(admin: Admin, topic: string): Promise<boolean> {
  return (await unlessBusy(() => admin.fetchOffsets({ groupId: 'start', topics: [topic] }))) !== undefined;
}

/** Does nothing when the topic exists. */
export async function createSampleTopic(brokers: string, topic: string): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    await createTopic(admin, topic, 6);
    // Kafka makes its topic of offsets when the first group asks for one, and answers with errors meanwhile: better here
    // than in the log of the ingestor.
    await waitUntil(() => hasOffsets(admin, topic), { what: "Kafka's topic of offsets" });
  });
}

/** How many messages have ever been published. */
function published(brokers: string, topic: string): Promise<number> {
  return withAdmin(brokers, async (admin) => {
    let count: number | undefined;
    const ask = async (): Promise<boolean> => {
      count = await unlessBusy(async () =>
        (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0),
      );
      return count !== undefined;
    };
    await waitUntil(ask, { what: `Kafka to tell where ${topic} ends` });
    return count ?? 0;
  });
}

/**
 * Publishes the sample data, unless there is data already: nobody need read it yet.
 *
 * @returns the topics that it was published to
 */
export async function publishSampleData(
  brokers: string,
  { topic, identTopic, virksomhetTopic }: { topic: string; identTopic?: string | undefined; virksomhetTopic: string },
): Promise<string[]> {
  if ((await published(brokers, topic)) > 0) {
    console.log('The topic has messages from before; no sample data is added.');
    return [];
  }
  const topics = identTopic === undefined ? [topic] : [topic, identTopic];
  await Promise.all(topics.map((to) => simulate(brokers, to, to === identTopic ? ['--identer'] : [])));
  await publish(brokers, topic, [exampleAvtale(new Date())]);
  await publish(brokers, topic, onMeasureToday(new Date()));
  await publish(brokers, virksomhetTopic, exampleVirksomheter());
  return [...topics, virksomhetTopic];
}

async function publish(brokers: string, topic: string, messages: { key: string; value: string }[]): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await producer.send({ topic, messages });
  } finally {
    await producer.disconnect();
  }
}

async function simulate(brokers: string, topic: string, more: string[]): Promise<void> {
  const script = join(ROOT, 'libs', 'simulator', 'src', 'simulate.ts');
  const options = ['--disable-warning=ExperimentalWarning', script, '--fil', FILE, '--topic', topic, ...more];
  const env = environmentWith({ KAFKA_BROKERS: brokers, ...COMPILE_CACHE });
  const { code, printout } = await runProgram(process.execPath, options, { cwd: ROOT, env });
  if (code !== 0) throw new StartError(`The sample data could not be published:\n${printout}`);
}

/** Waits until the ingestor has stored what is on the topics. */
export async function waitUntilIngested(brokers: string, database: string, topics: readonly string[]): Promise<void> {
  for (const topic of topics) {
    const count = await published(brokers, topic);
    await waitUntil(async () => (await ingested(database, topic)) >= count, {
      what: 'the sample data to be stored; see the log of the ingestor in .local/logs',
      maxMs: 60_000,
      everyMs: 100,
    });
  }
}

/** What the organisation's database holds, and how many messages that came from. */
export interface Loaded {
  meldinger: number;
  avtaler: number;
  personer: number;
  bedrifter: number;
  parkerte: number;
}

export async function countLoaded(database: string, topic: string): Promise<Loaded> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    const { rows } = await client.query<Loaded>(
      `select (select coalesce(sum(neste_offset), 0)::int from konsum_offset where topic = $1) as meldinger,
         count(*)::int as avtaler, count(distinct deltaker_id)::int as personer, count(distinct bedrift_nr)::int as bedrifter,
         (select count(*)::int from parkert_melding where tilstand = 'PARKERT') as parkerte
       from avtale_synlig`,
      [topic],
    );
    return rows[0] ?? { meldinger: 0, avtaler: 0, personer: 0, bedrifter: 0, parkerte: 0 };
  } finally {
    await client.end();
  }
}

async function ingested(database: string, topic: string): Promise<number> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    const sql = 'select coalesce(sum(neste_offset), 0)::int as antall from konsum_offset where topic = $1';
    const { rows } = await client.query<{ antall: number }>(sql, [topic]);
    return rows[0]?.antall ?? 0;
  } finally {
    await client.end();
  }
}
