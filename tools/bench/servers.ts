import { join } from 'node:path';
import pg from 'pg';
import { freePort, startKafka, startPostgres, type LocalKafka, type LocalPostgres } from '@tiltak/testing';

export async function startKafkaIn(directory: string): Promise<LocalKafka> {
  return startKafka({
    port: await freePort(),
    dataDir: join(directory, 'kafka'),
    logFile: join(directory, 'kafka.log'),
  });
}

/** Instead of those of every local server. */
export type PostgresSettings = Readonly<Record<string, string>>;

export async function startPostgresIn(directory: string, settings: PostgresSettings = {}): Promise<LocalPostgres> {
  return startPostgres({
    port: await freePort(),
    dataDir: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
    settings,
  });
}

export interface Servers {
  kafka: LocalKafka;
  postgres: LocalPostgres;
}

/** Both on what lies in the directory, until the work is done. */
export async function withServers<T>(directory: string, work: (servers: Servers) => Promise<T>): Promise<T> {
  const [kafka, postgres] = await Promise.all([startKafkaIn(directory), startPostgresIn(directory)]);
  try {
    return await work({ kafka, postgres });
  } finally {
    await Promise.all([kafka.stop(), postgres.stop()]);
  }
}

export async function withClient<T>(url: string, work: (db: pg.Client) => Promise<T>): Promise<T> {
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}
