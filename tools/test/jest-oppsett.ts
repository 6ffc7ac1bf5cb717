import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { ledigPort, startKafka, startPostgres, type LokalKafka, type LokalPostgres } from '@tiltak/testing';

declare global {
  var testStack: { kafka: LokalKafka; postgres: LokalPostgres; katalog: string } | undefined;
}

/** One Kafka and one Postgres for the whole run; each suite has its own topics and databases in them. */
export default async function start(): Promise<void> {
  const katalog = mkdtempSync(join(tmpdir(), 'tiltak-test-'));
  // Postgres runs as another user when this is root.
  chmodSync(katalog, 0o755);
  const logg = (navn: string): string => join(katalog, `${navn}.log`);
  const [kafka, postgres] = await Promise.all([
    startKafka({ port: await ledigPort(), dataDir: join(katalog, 'kafka'), loggfil: logg('kafka') }),
    startPostgres({ port: await ledigPort(), dataDir: join(katalog, 'postgres'), loggfil: logg('postgres') }),
  ]);
  globalThis.testStack = { kafka, postgres, katalog };
  process.env['TEST_KAFKA_BROKERS'] = kafka.brokers;
  process.env['TEST_POSTGRES_URL'] = postgres.url;
  process.once('exit', () => {
    for (const { pid } of [kafka.prosess(), postgres.prosess()]) drepStille(pid);
    rmSync(katalog, { recursive: true, force: true });
  });
}

function drepStille(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
