import { createHash, randomBytes } from 'node:crypto';
import kafkajs, { Kafka, logLevel, type Admin, type Producer } from 'kafkajs';
import pg from 'pg';
import { waitUntil } from './stack/process.ts';
import { createDatabase, databaseOf, type OrganisasjonDatabase } from './stack/organisasjon-database.ts';

/** Set by the test run's global setup. */
export function testEnvironment(): { postgres: string; kafka: string } {
  const { TEST_POSTGRES_URL: postgres, TEST_KAFKA_BROKERS: kafka } = process.env;
  if (!postgres || !kafka) throw new Error('TEST_POSTGRES_URL and TEST_KAFKA_BROKERS are set by jest.config.mjs');
  return { postgres, kafka };
}

export interface TestDatabase extends OrganisasjonDatabase {
  remove: () => Promise<void>;
}

/**
 * `pg_locks` of the sessions of this database alone. The view itself shows those of the whole server, where other suites
 * hold and wait for locks meanwhile, on tables of the same oid: copies of one template. Who waits for a transaction to end
 * waits in no database, and has locks in its own. `pg_stat_activity` would tell a transaction the same each time.
 */
export const LOCKS = `(select * from pg_locks where pid in (select pid from pg_locks
  where database = (select oid from pg_database where datname = current_database()))) as locks`;

type Migrate = (database: OrganisasjonDatabase) => Promise<unknown>;

/** The organisation whose database others are copied from: fifty migrations take seconds, and a copy a fraction of one. */
const TEMPLATE = 'mal';

/**
 * A database of an organisation that only this suite knows, with its roles.
 *
 * @param migrate makes the schema, which the database then has; it is asked once for a server. Empty without it
 */
export async function createTestDatabase(
  superUrl = testEnvironment().postgres,
  migrate?: Migrate,
): Promise<TestDatabase> {
  if (migrate) await ensureTemplate(superUrl, migrate);
  const name = `t${randomBytes(5).toString('hex')}`;
  const database = await createDatabase(superUrl, name, migrate && TEMPLATE);
  return {
    ...database,
    remove: () =>
      asSuperuser(superUrl, async (client) => {
        await client.query(`drop database if exists ${database.database} with (force)`);
        for (const { username } of [database.ingestor, database.queryApi, database.revisor, database.migrering]) {
          await client.query(`drop role if exists ${username}`);
        }
      }),
  };
}

/** Whoever comes first makes it, and the others wait. */
async function ensureTemplate(superUrl: string, migrate: Migrate): Promise<void> {
  await asSuperuser(superUrl, async (client) => {
    await client.query('select pg_advisory_lock(7220318)');
    const { rowCount } = await client.query(
      'select from pg_database where datname = $1 and datdba = current_user::regrole',
      [databaseOf(TEMPLATE)],
    );
    if (rowCount === 1) return;
    const made = await createDatabase(superUrl, TEMPLATE);
    await migrate(made);
    // What its owner has is what a copy's owner takes over, and that would be this database, too. It is also whole now.
    await client.query(`alter database ${made.database} owner to current_user`);
  });
}

async function asSuperuser<T>(superUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: superUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export interface TestMessage {
  key: Buffer | string | null;
  value: Buffer | string | null;
  partition?: number;
}

export interface Placement {
  partition: number;
  offset: number;
}

export interface TestTopic {
  topic: string;
  admin: Admin;
  /** In the order given; answers with where each message ended up. */
  publish: (messages: readonly TestMessage[]) => Promise<Placement[]>;
  /** Removes what is in front of these places, as a topic does that keeps its messages for a while only. */
  forget: (places: readonly Placement[]) => Promise<void>;
  remove: () => Promise<void>;
}

/** A topic that only this suite knows. */
export async function createTestTopic({ partitions = 1, brokers = testEnvironment().kafka } = {}): Promise<TestTopic> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 10 } });
  const topic = `test-${randomBytes(6).toString('hex')}`;
  const admin = kafka.admin();
  await admin.connect();
  await createTopic(admin, topic, partitions);
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
    publish: (messages) => publish(producer, topic, partitions, messages),
    forget: (places) => forget(admin, topic, places),
    remove: async () => {
      await producer.disconnect();
      await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
      await admin.disconnect();
    },
  };
}

/** Of a topic that is compacted only, Kafka removes nothing on request. */
async function forget(admin: Admin, topic: string, places: readonly Placement[]): Promise<void> {
  const configEntries = [{ name: 'cleanup.policy', value: 'delete' }];
  const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }];
  await admin.alterConfigs({ validateOnly: false, resources });
  const partitions = places.map(({ partition, offset }) => ({ partition, offset: String(offset) }));
  await admin.deleteTopicRecords({ topic, partitions });
}

/** A compacted topic, ready to be written to; one that exists is left as it is. */
export async function createTopic(admin: Admin, topic: string, partitions: number): Promise<void> {
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: partitions, configEntries }] });
  // For a moment after that the broker does not know of it.
  await waitUntil(
    async () => {
      const response = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
      return response?.topics[0]?.partitions.every(({ leader }) => leader >= 0) ?? false;
    },
    { what: `the topic ${topic}` },
  );
}

/**
 * Chooses the partition itself, from the key, so that it knows where each message ends up: a request's answer tells where
 * each partition's part of it begins.
 */
async function publish(
  producer: Producer,
  topic: string,
  partitions: number,
  messages: readonly TestMessage[],
): Promise<Placement[]> {
  const placements: Placement[] = [];
  for (let from = 0; from < messages.length; from += 1_000) {
    const chunk = messages.slice(from, from + 1_000).map(({ key, value, partition }) => ({
      key,
      value,
      partition:
        partition ??
        createHash('sha256')
          .update(key ?? '')
          .digest()
          .readUInt32BE() % partitions,
    }));
    const response = await producer.send({ topic, acks: -1, messages: chunk });
    const next = new Map(response.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
    for (const { partition } of chunk) {
      const offset = next.get(partition) ?? Number.NaN;
      next.set(partition, offset + 1);
      placements.push({ partition, offset });
    }
  }
  return placements;
}
