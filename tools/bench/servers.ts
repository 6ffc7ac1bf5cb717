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

export async function startPostgresIn(directory: string): Promise<LocalPostgres> {
  return startPostgres({
    port: await freePort(),
    dataDir: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
  });
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
