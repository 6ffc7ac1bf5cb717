import { join } from 'node:path';
import {
  createWorkDir,
  freePort,
  LOCAL_DIR,
  startKafka,
  startPostgres,
  type LocalKafka,
  type LocalPostgres,
} from '@tiltak/testing';

declare global {
  var testStack: { kafka: LocalKafka | undefined; postgres: LocalPostgres | undefined; clean: () => void } | undefined;
}

/**
 * One Kafka and one Postgres for the whole run; each suite has its own topics and databases in them. Those that
 * TEST_KAFKA_BROKERS and TEST_POSTGRES_URL name are used when they are set.
 */
async function start(): Promise<void> {
  const { directory, clean } = createWorkDir('test');
  const options = async (name: string): Promise<{ port: number; dataDir: string; logFile: string }> => ({
    port: await freePort(),
    dataDir: join(directory, name),
    logFile: join(LOCAL_DIR, 'logs', `test-${name}.log`),
  });
  const { TEST_KAFKA_BROKERS, TEST_POSTGRES_URL } = process.env;
  // Jest does not take down what it has set up when it is interrupted; the servers end with this process.
  process.once('exit', clean);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const [kafka, postgres] = await Promise.all([
    TEST_KAFKA_BROKERS ? undefined : startKafka(await options('kafka')),
    TEST_POSTGRES_URL ? undefined : startPostgres(await options('postgres')),
  ]);
  globalThis.testStack = { kafka, postgres, clean };
  if (kafka) process.env['TEST_KAFKA_BROKERS'] = kafka.brokers;
  if (postgres) process.env['TEST_POSTGRES_URL'] = postgres.url;
}

// Jest demands a default export.
export { start as default };
