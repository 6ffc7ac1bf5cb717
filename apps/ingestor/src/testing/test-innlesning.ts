import { deltakerIdMed, lagDatakilde, lagPool, migrer, type Databasevalg } from '@tiltak/database';
import { opprettTestdatabase } from '@tiltak/testing';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { Innlesning } from '../avtaler/avtaler.innlesning.ts';
import type { Meldingsbatch, RaaMelding } from '../kafka/batch.ts';

export const TOPIC = 'avtaler';
export const PARTISJON = 0;
export const ID = '00000000-0000-4000-8000-000000000001';
export const deltakerId = deltakerIdMed('ab'.repeat(32));

export interface TestInnlesning {
  innlesning: Innlesning;
  /** the same in another process, as far as the database can tell */
  andre: Innlesning;
  /** as the ingestor */
  pool: Pool;
  /** as the owner of the schema */
  eier: DataSource;
  /** Empties every table. */
  toem: () => Promise<void>;
  /** Everything in the tables but the times and numbers that differ from run to run. */
  dump: () => Promise<Record<keyof typeof TABELLER, Record<string, unknown>[]>>;
  stopp: () => Promise<void>;
}

/** The reading of batches, without Kafka, on a database of its own. */
export async function startTestInnlesning(): Promise<TestInnlesning> {
  const database = await opprettTestdatabase();
  const felles: Databasevalg = {
    host: database.host,
    port: database.port,
    database: database.database,
    ...database.ingestor,
    sslmode: 'disable',
    poolSize: 4,
    applicationName: 'spec',
    statementTimeoutMs: 10_000,
    ventPaaForbindelseMs: 5_000,
  };
  const eier = await lagDatakilde({ ...felles, ...database.migrering }).initialize();
  await migrer(eier);
  const pool = lagPool(felles);
  const andresPool = lagPool(felles);
  return {
    innlesning: new Innlesning(pool, deltakerId),
    andre: new Innlesning(andresPool, deltakerId),
    pool,
    eier,
    toem: async () => {
      await eier.query(
        'truncate avtale, avtale_versjon, endring, relasjon, parkert_melding, konsum_offset restart identity',
      );
      await eier.query('insert into konsum_offset values ($1, $2, 0)', [TOPIC, PARTISJON]);
    },
    dump: async () => {
      const lest = Object.entries(TABELLER).map(async ([navn, sql]) => {
        const { rows } = await pool.query<{ rad: Record<string, unknown> }>(sql);
        return [navn, rows.map(({ rad }) => rad)] as const;
      });
      return Object.fromEntries(await Promise.all(lest)) as Awaited<ReturnType<TestInnlesning['dump']>>;
    },
    stopp: async () => {
      await Promise.all([pool.end(), andresPool.end()]);
      await eier.destroy();
      await database.slett();
    },
  };
}

const TABELLER = {
  avtale: `select to_jsonb(t) - 'mottatt' as rad from avtale t order by avtale_id`,
  avtale_versjon: `select to_jsonb(t) - 'laert' - 'lopenr' as rad from avtale_versjon t order by avtale_id, lopenr`,
  endring: `select jsonb_build_array(avtale_id, type, aarsak) as rad from endring t order by avtale_id, tx, lopenr`,
  relasjon: `select to_jsonb(t) as rad from relasjon t order by fra, relasjon, til`,
  parkert_melding: `select to_jsonb(t) - 'id' - 'parkert' as rad from parkert_melding t order by kafka_offset`,
  konsum_offset: `select to_jsonb(t) as rad from konsum_offset t`,
};

/** A message about the avtale `ID`, unless `felter` says another. */
export function melding(offset: number, felter: Record<string, unknown>): RaaMelding {
  const innhold = { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z', ...felter };
  return { offset, nokkel: Buffer.from(innhold.avtaleId), verdi: Buffer.from(JSON.stringify(innhold)) };
}

export function batch(meldinger: readonly RaaMelding[], hentetFra = meldinger[0]?.offset ?? 0): Meldingsbatch {
  const slutt = (meldinger.at(-1)?.offset ?? 0) + 1;
  return { topic: TOPIC, partisjon: PARTISJON, hentetFra, meldinger, nesteOffset: slutt, sluttOffset: slutt };
}
