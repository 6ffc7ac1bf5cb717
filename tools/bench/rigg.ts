import { join } from 'node:path';
import pg from 'pg';
import {
  lagArbeidsmappe,
  ledigPort,
  startKafka,
  startPostgres,
  type LokalKafka,
  type LokalPostgres,
} from '@tiltak/testing';

export interface Rigg {
  kafka: LokalKafka;
  postgres: LokalPostgres;
  stopp: () => Promise<void>;
}

/** A Kafka and a Postgres of the benchmark's own, on empty data. */
export async function startRigg(): Promise<Rigg> {
  const { katalog, rydd } = lagArbeidsmappe('bench');
  const [kafka, postgres] = await Promise.all([
    startKafka({ port: await ledigPort(), dataDir: join(katalog, 'kafka'), loggfil: join(katalog, 'kafka.log') }),
    startPostgres({
      port: await ledigPort(),
      dataDir: join(katalog, 'postgres'),
      loggfil: join(katalog, 'postgres.log'),
    }),
  ]);
  return {
    kafka,
    postgres,
    stopp: async () => {
      await Promise.all([kafka.stopp(), postgres.stopp()]);
      rydd();
    },
  };
}

export async function medKlient<T>(url: string, arbeid: (db: pg.Client) => Promise<T>): Promise<T> {
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  try {
    return await arbeid(db);
  } finally {
    await db.end();
  }
}
