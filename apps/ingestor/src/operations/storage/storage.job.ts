import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { metrics } from '../../metrics.ts';
import { readStorage, type Storage } from './storage.queries.ts';

/** Sizes are asked of the file system, file by file: not for each scrape, and not for each look at the page. */
const EVERY_MS = 5 * 60_000;
const GB = 1_000_000_000;

/** How much room the database takes, and whether vacuum and HOT keep up. Each ingestor measures for itself. */
export class StorageMeter {
  last: Storage | undefined;
  /** of the database's disk; null: not known */
  readonly capacityBytes: number | null;
  private job: BackgroundJob | undefined;

  constructor(
    private readonly pool: Pool,
    capacityGb: number,
  ) {
    this.capacityBytes = capacityGb === 0 ? null : capacityGb * GB;
  }

  start(): void {
    this.job = startJob({ name: 'plass', everyMs: EVERY_MS, run: () => this.round() });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  async round(): Promise<void> {
    const storage = await readStorage(this.pool);
    this.last = storage;
    metrics.databaseBytes.set(storage.databaseBytes);
    metrics.databaseCapacity.set(this.capacityBytes ?? 0);
    metrics.transactionAge.set({ slag: 'FROSSET' }, storage.transactionAge);
    metrics.transactionAge.set({ slag: 'AAPEN' }, storage.openAge);
    // One that is gone shall not be told of for ever.
    for (const metric of [metrics.tableBytes, metrics.tableRows, metrics.tableUpdates, metrics.indexBytes])
      metric.reset();
    for (const metric of [metrics.slotBytes, metrics.slotLost]) metric.reset();
    for (const { slot: spor, heldBytes, isLost } of storage.slots) {
      metrics.slotBytes.set({ spor }, heldBytes);
      metrics.slotLost.set({ spor }, isLost ? 1 : 0);
    }
    for (const { table: tabell, ...of } of storage.tables) {
      metrics.tableBytes.set({ tabell, slag: 'TABELL' }, of.heapBytes);
      metrics.tableBytes.set({ tabell, slag: 'INDEKSER' }, of.indexBytes);
      metrics.tableBytes.set({ tabell, slag: 'TOAST' }, of.toastBytes);
      metrics.tableRows.set({ tabell, slag: 'LEVENDE' }, of.rows);
      metrics.tableRows.set({ tabell, slag: 'DOEDE' }, of.deadRows);
      metrics.tableUpdates.set({ tabell, slag: 'ALLE' }, of.updates);
      metrics.tableUpdates.set({ tabell, slag: 'HOT' }, of.hotUpdates);
    }
    for (const { index, table, bytes } of storage.indexes)
      metrics.indexBytes.set({ tabell: table, indeks: index }, bytes);
  }
}
