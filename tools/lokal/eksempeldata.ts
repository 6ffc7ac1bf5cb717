import { join } from 'node:path';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import pg from 'pg';
import { kjorProgram, opprettTopic, ROT, ventTil } from '@tiltak/testing';
import { Startfeil } from './valg.ts';

const FIL = join(ROT, 'tools', 'simulator', 'data', 'avtale-hendelser.jsonl');

async function medAdmin<T>(brokers: string, arbeid: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await arbeid(admin);
  } finally {
    await admin.disconnect();
  }
}

/** False while Kafka makes or loads its offsets: kafkajs doesn't try such a call again itself. */
async function harOffsets(admin: Admin, topic: string): Promise<boolean> {
  try {
    await admin.fetchOffsets({ groupId: 'start', topics: [topic] });
    return true;
  } catch (feil) {
    if (feil instanceof Error && 'retriable' in feil && feil.retriable === true) return false;
    throw feil;
  }
}

/** Does nothing when the topic exists. */
export async function lagTopic(brokers: string, topic: string): Promise<void> {
  await medAdmin(brokers, async (admin) => {
    await opprettTopic(admin, topic, 6);
    // Kafka makes its topic of offsets when the first group asks for one, and answers with errors meanwhile: better here
    // than in the log of the ingestor.
    await ventTil(() => harOffsets(admin, topic), { hva: "Kafka's topic of offsets" });
  });
}

/** How many messages have ever been published. */
function publisert(brokers: string, topic: string): Promise<number> {
  return medAdmin(brokers, async (admin) =>
    (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0),
  );
}

/** Publishes the sample data, unless there is data already, and waits until the ingestor has stored it. */
export async function lastEksempeldata(brokers: string, topic: string, database: string): Promise<void> {
  if ((await publisert(brokers, topic)) > 0) {
    console.log('The topic has messages from before; no sample data is added.');
    return;
  }
  const skript = join(ROT, 'tools', 'simulator', 'simuler.ts');
  const valg = ['--disable-warning=ExperimentalWarning', skript, '--fil', FIL, '--topic', topic];
  const env = { ...process.env, KAFKA_BROKERS: brokers };
  const { kode, utskrift } = await kjorProgram(process.execPath, valg, { cwd: ROT, env });
  if (kode !== 0) throw new Startfeil(`The sample data could not be published:\n${utskrift}`);
  const antall = await publisert(brokers, topic);
  await ventTil(async () => (await innlest(database, topic)) >= antall, {
    hva: 'the sample data to be stored; see the log of the ingestor in .local/logs',
    maksMs: 60_000,
    hverMs: 100,
  });
}

async function innlest(database: string, topic: string): Promise<number> {
  const klient = new pg.Client({ connectionString: database });
  await klient.connect();
  try {
    const sql = 'select coalesce(sum(neste_offset), 0)::int as antall from konsum_offset where topic = $1';
    const { rows } = await klient.query<{ antall: number }>(sql, [topic]);
    return rows[0]?.antall ?? 0;
  } finally {
    await klient.end();
  }
}
