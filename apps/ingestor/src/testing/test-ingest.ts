import { createDataSource, createPool, deltakerIdWith, migrate } from '@tiltak/database';
import { readEnvironment } from '@tiltak/platform';
import { createTestDatabase, freePort, type OrganisasjonDatabase } from '@tiltak/testing';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { SCHEMA, type Config } from '../config.ts';
import { databaseOptionsFrom } from '../database/connect.ts';
import { ingestBatch, type IngestResult } from '../ingest/ingest-batch.ts';
import type { GroupWriter } from '../ingest/group-writer.ts';
import { PersonWriter } from '../ingest/person-writer.ts';
import { Writer } from '../ingest/writer.ts';
import { createIngestor, type Ingestor, type Replacements } from '../ingestor.ts';
import type { MessageBatch, RawMessage } from '../kafka/batch.ts';

export const TOPIC = 'avtaler';
export const TOPIC_ID = 'the-topic-of-this-test';
export const PARTITION = 0;
export const ID = '00000000-0000-4000-8000-000000000001';

const DELTAKER_ID_KEY = 'ab'.repeat(32);
export const deltakerId = deltakerIdWith(DELTAKER_ID_KEY);

export interface TestIngest {
  /** put together as the process is; not started */
  ingestor: Ingestor;
  writer: Writer;
  /** what the stream stores its groups by */
  groupWriter: GroupWriter;
  /** the same in another process, as far as the database can tell */
  otherWriter: Writer;
  personWriter: PersonWriter;
  otherPersonWriter: PersonWriter;
  /** Stores a batch, as the stream does. */
  ingest: (batch: MessageBatch) => Promise<IngestResult>;
  /** as the ingestor */
  pool: Pool;
  /** as the owner of the schema */
  owner: DataSource;
  /** Empties every table. */
  empty: () => Promise<void>;
  /** Versions that those who look for them by participant or employer would pass by, or meet twice for nothing. */
  wronglyMarked: () => Promise<unknown[]>;
  /** Everything in the tables but the times and numbers that differ from run to run. */
  dump: () => Promise<Record<keyof typeof TABLES, Record<string, unknown>[]>>;
  stop: () => Promise<void>;
}

const connectAsOwner = (config: Config, { migrering }: OrganisasjonDatabase): Promise<DataSource> =>
  createDataSource({ ...databaseOptionsFrom(config), ...migrering }).initialize();

const migrateFor =
  (environment: Record<string, string>) =>
  async (database: OrganisasjonDatabase): Promise<void> => {
    const owner = await connectAsOwner(await testConfig(database, environment), database);
    await migrate(owner);
    await owner.destroy();
  };

/**
 * An ingestor on a database of its own, not started: batches are given to it, and Kafka is never asked.
 *
 * @param environment settings beside those of the database
 */
export async function startTestIngest(
  environment: Record<string, string> = {},
  replacements: Replacements = {},
): Promise<TestIngest> {
  const database = await createTestDatabase(undefined, migrateFor(environment));
  const config = await testConfig(database, environment);
  const owner = await connectAsOwner(config, database);
  const ingestor = createIngestor(config, replacements);
  const { pool, groupPool, backgroundPool, writer } = ingestor;
  const otherPool = createPool(databaseOptionsFrom(config));
  return {
    ingestor,
    writer,
    groupWriter: ingestor.groupWriter,
    otherWriter: new Writer(otherPool, deltakerId),
    personWriter: ingestor.personWriter,
    otherPersonWriter: new PersonWriter(otherPool, deltakerId),
    ingest: (messages) => ingestBatch(writer, messages),
    pool,
    owner,
    empty: async () => {
      await owner.query(
        `truncate avtale, avtale_versjon, avtale_endring, endring, virksomhet, virksomhet_versjon, virksomhet_endring,
           hovedenhet_varsel, manglende_virksomhet, relasjon, parkert_melding, konsum_offset, registerident, personident,
           personident_foer, konsum_hull restart identity`,
      );
      await owner.query('insert into konsum_offset values ($1, $2, 0)', [TOPIC, PARTITION]);
      await owner.query('insert into topic_epoke values ($1, 0, $2) on conflict do nothing', [TOPIC, TOPIC_ID]);
    },
    wronglyMarked: () => owner.query(WRONGLY_MARKED),
    dump: async () => {
      const tables = Object.entries(TABLES).map(async ([name, sql]) => {
        const rows = await owner.query<{ content: Record<string, unknown> }[]>(sql);
        return [name, rows.map(({ content }) => content)] as const;
      });
      return Object.fromEntries(await Promise.all(tables)) as Awaited<ReturnType<TestIngest['dump']>>;
    },
    stop: async () => {
      await Promise.all([pool, groupPool, backgroundPool, otherPool].map((one) => (one.ended ? undefined : one.end())));
      await owner.destroy();
      await database.remove();
    },
  };
}

async function testConfig(database: OrganisasjonDatabase, environment: Record<string, string>): Promise<Config> {
  return readEnvironment(SCHEMA, {
    ORGANISASJON: 'nav',
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    LOG_LEVEL: 'fatal',
    NEDSTENGING_VENTETID_MS: '0',
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_DATABASE: database.database,
    DB_USERNAME: database.ingestor.username,
    DB_PASSWORD: database.ingestor.password,
    DB_SSLMODE: 'disable',
    DB_POOL_SIZE: '4',
    KAFKA_BROKERS: '127.0.0.1:1',
    KAFKA_TOPIC: TOPIC,
    ADAPTER_KAN_SKRIVE: 'ja',
    DELTAKER_ID_NOEKKEL: DELTAKER_ID_KEY,
    AZURE_APP_CLIENT_ID: 'tiltak-datadeling',
    AZURE_OPENID_CONFIG_ISSUER: 'http://127.0.0.1:1',
    AZURE_OPENID_CONFIG_JWKS_URI: 'http://127.0.0.1:1',
    ...environment,
  });
}

/** An ident that has left the history may leave its mark. */
const WRONGLY_MARKED = `
  select avtale_id, lopenr, ny_deltaker, ny_bedrift from (
    select *, lag(lopenr) over w is null as er_foerste,
      (deltaker_fnr, deltaker_id) is not distinct from (lag(deltaker_fnr) over w, lag(deltaker_id) over w) as samme_deltaker,
      bedrift_nr is not distinct from lag(bedrift_nr) over w as samme_bedrift
    from avtale_versjon window w as (partition by avtale_id order by lopenr)) v
  where not ny_deltaker and (er_foerste or not samme_deltaker) or ny_bedrift is distinct from (er_foerste or not samme_bedrift)`;

const TABLES = {
  avtale: `select to_jsonb(t) - 'mottatt' as content from avtale t order by avtale_id`,
  avtale_versjon: `select to_jsonb(t) - 'laert' - 'lopenr' as content from avtale_versjon t order by avtale_id, lopenr`,
  endring: `select jsonb_build_array(avtale_id, type, aarsak) as content from endring t order by avtale_id, tx, lopenr`,
  relasjon: `select to_jsonb(t) as content from relasjon t order by fra, relasjon, til`,
  parkert_melding: `select to_jsonb(t) - 'id' - 'parkert' - 'behandlet' - 'innhold_fjernet' as content from parkert_melding t order by kafka_offset`,
  registerident: `select to_jsonb(t) as content from registerident t order by registernoekkel, ident`,
  personident: `select to_jsonb(t) as content from personident t order by ident`,
  konsum_offset: `select to_jsonb(t) as content from konsum_offset t`,
};

/** A message about the avtale `ID`, unless the fields name another. */
export function message(offset: number, fields: Record<string, unknown>): RawMessage {
  const content = { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z', ...fields };
  return { offset, key: Buffer.from(content.avtaleId), value: Buffer.from(JSON.stringify(content)) };
}

export function batch(messages: readonly RawMessage[], fetchedFrom = messages[0]?.offset ?? 0): MessageBatch {
  const end = (messages.at(-1)?.offset ?? 0) + 1;
  return { topic: TOPIC, epoch: 0, partition: PARTITION, fetchedFrom, messages, nextOffset: end, endOffset: end };
}
