import { ConsumerStatus } from '@tiltak/database';
import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { metrics } from '../metrics.ts';

/**
 * Keeps in mind the moment up to which everything published is included, as the ingestors have stored it. What is kept
 * is older than what an answer then reads, never newer, so `Data-Oppdatert` never promises too much; when the ingestors
 * are down, the moment stands still.
 */
export class Freshness {
  /** as last read */
  partitions: readonly ConsumerStatus[] = [];
  /** the partitions of which messages were lost, and that no reconciliation has made up for */
  gaps: ReadonlySet<number> = new Set();

  constructor(private readonly dataSource: DataSource) {}

  /** Reads it now, and then again and again. */
  start(everyMs = 250): BackgroundJob {
    return startJob({ name: 'ferskhet', everyMs, run: () => this.refresh() });
  }

  private async refresh(): Promise<void> {
    this.partitions = await this.dataSource.getRepository(ConsumerStatus).find({ order: { partisjon: 'asc' } });
    const gaps = await this.dataSource.query<{ partisjon: number }[]>(
      'select h.partisjon from konsum_hull h join konsum_status using (topic, partisjon) where h.lukket is null',
    );
    this.gaps = new Set(gaps.map(({ partisjon: partition }) => partition));
    const updated = this.dataOppdatert;
    if (updated) metrics.dataAge.set((Date.now() - updated.getTime()) / 1000);
  }

  /** undefined until each partition has once been read to its end */
  get dataOppdatert(): Date | undefined {
    return oldest(this.partitions);
  }
}

export function oldest(partitions: readonly ConsumerStatus[]): Date | undefined {
  const times = partitions.map(({ oppdatertTil: updatedTo }) => updatedTo?.getTime());
  if (times.length === 0 || times.includes(undefined)) return undefined;
  return new Date(Math.min(...(times as number[])));
}
