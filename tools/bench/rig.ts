import { createDatabase, createWorkDir, type LocalKafka, type LocalPostgres } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { Generator } from './generator/generator.ts';
import { settleDisk } from './measuring/settle.ts';
import type { RoundOptions } from './measuring/rounds.ts';
import type { RunOptions } from './results.ts';
import { startKafkaIn, startPostgresIn, type PostgresSettings } from './servers.ts';
import { copyStock, takeStock, type Stock, type StockDescription } from './stock.ts';

/** Everything that a benchmark runs on, of its own. */
export interface Rig {
  kafka: LocalKafka;
  postgres: LocalPostgres;
  generator: Generator;
  /** what the database is filled with; undefined: nothing */
  stock: StockDescription | undefined;
  /** of a temporary directory */
  directory: string;
  /** until nothing of what was done before is still going on */
  settle: () => Promise<void>;
  /** of a benchmark on it; a trial neither waits nor begins again */
  rounds: (options: RunOptions) => RoundOptions;
  /** on the stock when there is one, else on an empty database */
  createSystem: (partitions?: number) => Promise<System>;
}

export interface RigOptions {
  /** the stock itself and not a copy of it: then it is gone afterwards */
  taken?: boolean;
  settings?: PostgresSettings;
}

/** A Kafka, a Postgres and a generator, on empty data or a copy of the stock; all is gone when the work is done. */
export async function withRig<T>(
  stock: Stock | undefined,
  work: (rig: Rig) => Promise<T>,
  { taken = false, settings }: RigOptions = {},
): Promise<T> {
  const { directory, clean } = createWorkDir('bench');
  const stops: (() => Promise<void>)[] = [];
  const stopping = async <S extends { stop: () => Promise<void> }>(starting: Promise<S>): Promise<S> => {
    const started = await starting;
    stops.push(() => started.stop());
    return started;
  };
  try {
    const description = stock && (await (taken ? takeStock : copyStock)(stock, directory));
    const [kafka, postgres] = await Promise.all([
      stopping(startKafkaIn(directory)),
      stopping(startPostgresIn(directory, settings)),
    ]);
    const generator = Generator.start();
    stops.push(() => generator.stop());
    const settle = (): Promise<void> => settleDisk(postgres.url);
    return await work({
      kafka,
      postgres,
      generator,
      stock: description,
      directory,
      settle,
      rounds: ({ rounds, trial }) => (trial ? { rounds, settle: nothing, spare: 0 } : { rounds, settle }),
      createSystem: (partitions = 6) => createSystem({ kafka, postgres }, description, partitions),
    });
  } finally {
    await Promise.all(stops.reverse().map((stop) => stop()));
    clean();
  }
}

const nothing = (): Promise<void> => Promise.resolve();

async function createSystem(
  { kafka, postgres }: Pick<Rig, 'kafka' | 'postgres'>,
  stock: StockDescription | undefined,
  partitions: number,
): Promise<System> {
  const place = { partitions, postgres: postgres.url, brokers: kafka.brokers };
  if (!stock) return System.create(place);
  // The database has the name of what it belongs to, and its logins get new passwords.
  return System.create({ ...place, database: await createDatabase(postgres.url, stock.database) });
}
