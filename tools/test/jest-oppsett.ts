import { join } from 'node:path';
import {
  lagArbeidsmappe,
  ledigPort,
  LOKALT,
  startKafka,
  startPostgres,
  type LokalKafka,
  type LokalPostgres,
} from '@tiltak/testing';

declare global {
  var testStack: { kafka: LokalKafka | undefined; postgres: LokalPostgres | undefined; rydd: () => void } | undefined;
}

/**
 * One Kafka and one Postgres for the whole run; each suite has its own topics and databases in them. Those that
 * TEST_KAFKA_BROKERS and TEST_POSTGRES_URL name are used when they are set.
 */
async function start(): Promise<void> {
  const { katalog, rydd } = lagArbeidsmappe('test');
  const valg = async (navn: string): Promise<{ port: number; dataDir: string; loggfil: string }> => ({
    port: await ledigPort(),
    dataDir: join(katalog, navn),
    loggfil: join(LOKALT, 'logs', `test-${navn}.log`),
  });
  const { TEST_KAFKA_BROKERS, TEST_POSTGRES_URL } = process.env;
  // Jest does not take down what it has set up when it is interrupted; the servers end with this process.
  process.once('exit', rydd);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const [kafka, postgres] = await Promise.all([
    TEST_KAFKA_BROKERS ? undefined : startKafka(await valg('kafka')),
    TEST_POSTGRES_URL ? undefined : startPostgres(await valg('postgres')),
  ]);
  globalThis.testStack = { kafka, postgres, rydd };
  if (kafka) process.env['TEST_KAFKA_BROKERS'] = kafka.brokers;
  if (postgres) process.env['TEST_POSTGRES_URL'] = postgres.url;
}

// Jest demands a default export.
export { start as default };
