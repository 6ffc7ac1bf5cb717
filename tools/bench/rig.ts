import { join } from 'node:path';
import pg from 'pg';
import {
  createWorkDir,
  freePort,
  startKafka,
  startPostgres,
  type LocalKafka,
  type LocalPostgres,
} from '@tiltak/testing';

export interface Rig {
  kafka: LocalKafka;
  postgres: LocalPostgres;
  stop: () => Promise<void>;
}

/** A Kafka and a Postgres of the benchmark's own, on empty data. */
export async function startRig(): Promise<Rig> {
  const { directory, clean } = createWorkDir('bench');
  const [kafka, postgres] = await Promise.all([
    startKafka({ port: await freePort(), dataDir: join(directory, 'kafka'), logFile: join(directory, 'kafka.log') }),
    startPostgres({
      port: await freePort(),
      dataDir: join(directory, 'postgres'),
      logFile: join(directory, 'postgres.log'),
    }),
  ]);
  return {
    kafka,
    postgres,
    stop: async () => {
      await Promise.all([kafka.stop(), postgres.stop()]);
      clean();
    },
  };
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
