import { createHash, randomBytes } from 'node:crypto';
import { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import pg from 'pg';
import { ventTil } from './stack/prosess.ts';
import { opprettDatabase, type Organisasjonsdatabase } from './stack/organisasjon.ts';

/** Set by the test run's global setup. */
export function testmiljo(): { postgres: string; kafka: string } {
  const { TEST_POSTGRES_URL: postgres, TEST_KAFKA_BROKERS: kafka } = process.env;
  if (!postgres || !kafka) throw new Error('TEST_POSTGRES_URL and TEST_KAFKA_BROKERS are set by jest.config.mjs');
  return { postgres, kafka };
}

export interface Testdatabase extends Organisasjonsdatabase {
  slett: () => Promise<void>;
}

/** An empty database of an organisation that only this suite knows, with its roles. */
export async function opprettTestdatabase(superUrl = testmiljo().postgres): Promise<Testdatabase> {
  const database = await opprettDatabase(superUrl, `t${randomBytes(5).toString('hex')}`);
  return {
    ...database,
    slett: async () => {
      const klient = new pg.Client({ connectionString: superUrl });
      await klient.connect();
      await klient.query(`drop database if exists ${database.database} with (force)`);
      for (const { username } of [database.ingestor, database.queryApi, database.migrering]) {
        await klient.query(`drop role if exists ${username}`);
      }
      await klient.end();
    },
  };
}

export interface Kafkamelding {
  nokkel: Buffer | string | null;
  verdi: Buffer | string | null;
  partisjon?: number;
}

export interface Plassering {
  partisjon: number;
  offset: number;
}

export interface Testtopic {
  topic: string;
  admin: Admin;
  /** In the order given; answers with where each message ended up. */
  publiser: (meldinger: readonly Kafkamelding[]) => Promise<Plassering[]>;
  slett: () => Promise<void>;
}

/** A topic that only this suite knows. */
export async function opprettTesttopic({ partisjoner = 1, brokers = testmiljo().kafka } = {}): Promise<Testtopic> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 10 } });
  const topic = `test-${randomBytes(6).toString('hex')}`;
  const admin = kafka.admin();
  await admin.connect();
  await opprettTopic(admin, topic, partisjoner);
  const producer = kafka.producer({
    // A broker that has just started refuses some partitions of a request, and kafkajs then sends all of it again.
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  await producer.connect();
  return {
    topic,
    admin,
    publiser: (meldinger) => publiser(producer, topic, partisjoner, meldinger),
    slett: async () => {
      await producer.disconnect();
      await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
      await admin.disconnect();
    },
  };
}

/** A compacted topic, ready to be written to; one that exists is left as it is. */
export async function opprettTopic(admin: Admin, topic: string, partisjoner: number): Promise<void> {
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partisjoner, configEntries }] });
  // For a moment after that the broker does not know of it.
  await ventTil(
    async () => {
      const svar = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
      return svar?.topics[0]?.partitions.every(({ leader }) => leader >= 0) ?? false;
    },
    { hva: `the topic ${topic}` },
  );
}

/**
 * Chooses the partition itself, from the key, so that it knows where each message ends up: a request's answer tells where
 * each partition's part of it begins.
 */
async function publiser(
  producer: Producer,
  topic: string,
  partisjoner: number,
  meldinger: readonly Kafkamelding[],
): Promise<Plassering[]> {
  const plasser: Plassering[] = [];
  for (let fra = 0; fra < meldinger.length; fra += 1_000) {
    const del = meldinger.slice(fra, fra + 1_000).map(({ nokkel, verdi, partisjon }) => ({
      key: nokkel,
      value: verdi,
      partition:
        partisjon ??
        createHash('sha256')
          .update(nokkel ?? '')
          .digest()
          .readUInt32BE() % partisjoner,
    }));
    const svar = await producer.send({ topic, acks: -1, messages: del });
    const neste = new Map(svar.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
    for (const { partition } of del) {
      const offset = neste.get(partition) ?? Number.NaN;
      neste.set(partition, offset + 1);
      plasser.push({ partisjon: partition, offset });
    }
  }
  return plasser;
}
