import { deltakerIdWith, createDataSource, createPool, migrate, type DatabaseOptions } from '@tiltak/database';
import { createTestDatabase } from '@tiltak/testing';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { Ingest } from '../ingest/ingest.ts';
import type { MessageBatch, RawMessage } from '../kafka/batch.ts';

export const TOPIC = 'avtaler';
export const PARTITION = 0;
export const ID = '00000000-0000-4000-8000-000000000001';
export const deltakerId = deltakerIdWith('ab'.repeat(32));

export interface TestIngest {
  innlesning: Ingest;
  /** the same in another process, as far as the database can tell */
  others: Ingest;
  /** as the ingestor */
  pool: Pool;
  /** as the owner of the schema */
  eier: DataSource;
  /** Empties every table. */
  empty: () => Promise<void>;
  /** Everything in the tables but the times and numbers that differ from run to run. */
  dump: () => Promise<Record<keyof typeof TABLES, Record<string, unknown>[]>>;
  stop: () => Promise<void>;
}

/** The reading of batches, without Kafka, on a database of its own. */
export async function startTestIngest(): Promise<TestIngest> {
  const database = await createTestDatabase();
  const common: DatabaseOptions = {
    host: database.host,
    port: database.port,
    database: database.database,
    ...database.ingestor,
    sslmode: 'disable',
    poolSize: 4,
    applicationName: 'spec',
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
  };
  const owner = await createDataSource({ ...common, ...database.migrering }).initialize();
  await migrate(owner);
  const pool = createPool(common);
  const foreignPool = createPool(common);
  return {
    innlesning: new Ingest(pool, deltakerId),
    others: new Ingest(foreignPool, deltakerId),
    pool,
    eier: owner,
    empty: async () => {
      await owner.query(
        'truncate avtale, avtale_versjon, endring, relasjon, parkert_melding, konsum_offset restart identity',
      );
      await owner.query('insert into konsum_offset values ($1, $2, 0)', [TOPIC, PARTITION]);
    },
    dump: async () => {
      const wasRead = Object.entries(TABLES).map(async ([name, sql]) => {
        const { rows } = await pool.query<{ rad: Record<string, unknown> }>(sql);
        return [name, rows.map(({ rad: row }) => row)] as const;
      });
      return Object.fromEntries(await Promise.all(wasRead)) as Awaited<ReturnType<TestIngest['dump']>>;
    },
    stop: async () => {
      await Promise.all([pool.end(), foreignPool.end()]);
      await owner.destroy();
      await database.remove();
    },
  };
}

const TABLES = {
  avtale: `select to_jsonb(t) - 'mottatt' as rad from avtale t order by avtale_id`,
  avtale_versjon: `select to_jsonb(t) - 'laert' - 'lopenr' as rad from avtale_versjon t order by avtale_id, lopenr`,
  endring: `select jsonb_build_array(avtale_id, type, aarsak) as rad from endring t order by avtale_id, tx, lopenr`,
  relasjon: `select to_jsonb(t) as rad from relasjon t order by fra, relasjon, til`,
  parkert_melding: `select to_jsonb(t) - 'id' - 'parkert' as rad from parkert_melding t order by kafka_offset`,
  konsum_offset: `select to_jsonb(t) as rad from konsum_offset t`,
};

/** A message about the avtale `ID`, unless `felter` says another. */
export function message(offset: number, fields: Record<string, unknown>): RawMessage {
  const content = { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z', ...fields };
  return { offset, key: Buffer.from(content.avtaleId), value: Buffer.from(JSON.stringify(content)) };
}

export function batch(messages: readonly RawMessage[], fetchedFrom = messages[0]?.offset ?? 0): MessageBatch {
  const end = (messages.at(-1)?.offset ?? 0) + 1;
  return { topic: TOPIC, partition: PARTITION, fetchedFrom, messages, nextOffset: end, endOffset: end };
}
