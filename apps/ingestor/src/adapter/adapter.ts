import { createPool } from '@tiltak/database';
import type { Pool } from 'pg';
import type { Config } from '../config.ts';
import { databaseOptionsFrom } from '../database/connect.ts';
import type { Publisher } from '../kafka/publisher.ts';
import { Publishers } from './publishers.ts';
import { SyncCompletion } from './sync-completion.job.ts';
import { Syncs } from './sync.ts';

/** Pages that are worked on at once by this process; more wait. */
const MAX_CONCURRENT_PAGES = 4;

/** What serves the organisation's adapter. */
export class Adapter {
  /** Connections for adapters alone: a page holds one while Kafka answers, and must not take those of the stream. */
  readonly pool: Pool;
  readonly syncs: Syncs;
  readonly completion: SyncCompletion;
  readonly publishers: Publishers;

  /**
   * @param publishers of each resource that has a topic here
   * @param pool the stream's, for what goes on in the background
   */
  constructor(config: Config, publishers: Readonly<Record<string, Publisher>>, pool: Pool) {
    this.publishers = new Publishers(publishers);
    this.pool = createPool({ ...databaseOptionsFrom(config), poolSize: MAX_CONCURRENT_PAGES });
    this.syncs = new Syncs(this.pool, this.publishers, {
      stalledSeconds: config.ADAPTER_SYNK_STANSET_SEKUNDER,
      expiresSeconds: config.ADAPTER_SYNK_UTLOEPER_SEKUNDER,
    });
    this.completion = new SyncCompletion(pool, this.publishers, this.syncs, config.ADAPTER_MAKS_SLETTES_PROSENT);
  }
}
