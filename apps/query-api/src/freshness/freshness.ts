import { ConsumerStatus } from '@tiltak/database';
import { logger } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { metrics } from '../metrics.ts';

/**
 * Keeps in mind the moment up to which everything published is included, as the ingestors have stored it. What is kept
 * is older than what an answer then reads, never newer, so `Data-Oppdatert` never promises too much; when the ingestors
 * are down, the moment stands still.
 */
export class Freshness {
  /** as last read */
  partisjoner: readonly ConsumerStatus[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly dataSource: DataSource) {}

  start(intervalMs = 250): void {
    const round = (): void => {
      void this.les()
        .catch((error: unknown) => logger.warn({ err: error }, 'Freshness could not be read; trying again'))
        .then(() => {
          if (this.timer) this.timer = setTimeout(round, intervalMs);
        });
    };
    this.timer = setTimeout(round, 0);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Reads it now. */
  async les(): Promise<void> {
    this.partisjoner = await this.dataSource.getRepository(ConsumerStatus).find({ order: { partisjon: 'asc' } });
    const updated = this.dataOppdatert;
    if (updated) metrics.dataAge.set((Date.now() - updated.getTime()) / 1000);
  }

  /** undefined until each partition has once been read to its end */
  get dataOppdatert(): Date | undefined {
    return oldest(this.partisjoner);
  }
}

export function oldest(partitions: readonly ConsumerStatus[]): Date | undefined {
  const times = partitions.map(({ oppdatertTil: updatedTo }) => updatedTo?.getTime());
  if (times.length === 0 || times.includes(undefined)) return undefined;
  return new Date(Math.min(...(times as number[])));
}
