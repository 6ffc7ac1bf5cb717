import { createPool } from '@tiltak/database';
import type { Kafka } from 'kafkajs';
import type { Pool } from 'pg';
import type { Config } from '../config.ts';
import { databaseOptionsFrom } from '../database/connect.ts';
import { Publisher } from '../kafka/publisher.ts';
import { SyncCompletion } from './sync-completion.job.ts';
import { Syncs } from './sync.ts';

/** Pages that are worked on at once by this process; more wait. */
const MAX_CONCURRENT_PAGES = 4;

/** What serves the organisation's adapter. */
export interface AdapterPart {
  adapterPool: Pool;
  syncs: Syncs;
  publisher: Publisher;
  /** Ends syncs from now on. */
  start: () => void;
  stop: () => Promise<void>;
}

/** @param kafka a client that gives up: an adapter is told that Kafka is away */
export function createAdapter(config: Config, kafka: Kafka, pool: Pool): AdapterPart {
  const adapterPool = createPool({ ...databaseOptionsFrom(config), poolSize: MAX_CONCURRENT_PAGES });
  const publisher = new Publisher(kafka, config.KAFKA_TOPIC);
  const syncs = new Syncs(adapterPool, publisher, {
    stalledSeconds: config.ADAPTER_SYNK_STANSET_SEKUNDER,
    expiresSeconds: config.ADAPTER_SYNK_UTLOEPER_SEKUNDER,
  });
  const deletion = new SyncCompletion(pool, publisher, syncs, config.ADAPTER_MAKS_SLETTES_PROSENT);
  return {
    adapterPool,
    syncs,
    publisher,
    start: () => deletion.start(),
    stop: async () => {
      await deletion.stop();
      await publisher.stop();
      await adapterPool.end();
    },
  };
}
