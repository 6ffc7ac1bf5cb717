import { setTimeout as wait } from 'node:timers/promises';
import { logger } from '@tiltak/platform';
import type { Admin } from 'kafkajs';
import type { DataSource } from 'typeorm';
import { readPositions, readExtents } from '../kafka/positions.queries.ts';
import { metrics } from '../metrics.ts';

/** At this moment the partition ended at this offset. */
interface Measurement {
  tid: Date;
  end: number;
}

const MAX_MEASUREMENTS = 3_600;

/**
 * Finds, for each partition, the moment up to which everything published is stored: the latest moment at which the
 * partition's end was no further than what is stored now. It needs no clock but this process's, also holds while a
 * backlog is worked off, and stays where it is when the ingestor is down. Every ingestor does this for all partitions.
 */
export class FreshnessMeter {
  private readonly measurements = new Map<number, Measurement[]>();
  private timer: NodeJS.Timeout | undefined;
  private inProgress: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly admin: Admin,
    private readonly topic: string,
  ) {}

  start(intervalMs = 500): void {
    const round = (): void => {
      this.inProgress = this.maal()
        .catch((error: unknown) => logger.warn({ err: error }, 'Freshness could not be measured; trying again'))
        .then(() => {
          if (this.timer) this.timer = setTimeout(round, intervalMs);
        });
    };
    this.timer = setTimeout(round, 0);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    // Kafka may be away, and is waited for in there.
    await Promise.race([this.inProgress, wait(1_000, undefined, { ref: false })]);
  }

  async maal(): Promise<void> {
    const time = new Date();
    const extent = await readExtents(this.admin, this.topic);
    const positions = await readPositions(this.dataSource, this.topic);
    const status = extent.map(({ partition, end }) => {
      const position = positions.get(partition);
      metrics.etterslep.set({ partisjon: partition }, position === undefined ? end : Math.max(0, end - position));
      return { partisjon: partition, end, oppdatertTil: this.upToDateUntil(partition, { tid: time, end }, position) };
    });
    await this.dataSource.query(
      `insert into konsum_status (topic, partisjon, slutt_offset, oppdatert_til)
       select $1, * from unnest($2::int[], $3::bigint[], $4::timestamptz[])
       on conflict (topic, partisjon) do update set slutt_offset = excluded.slutt_offset,
         oppdatert_til = greatest(konsum_status.oppdatert_til, excluded.oppdatert_til)`,
      [
        this.topic,
        status.map(({ partisjon: partition }) => partition),
        status.map(({ end }) => end),
        status.map(({ oppdatertTil: upToDateUntil }) => upToDateUntil ?? null),
      ],
    );
  }

  private upToDateUntil(partition: number, incoming: Measurement, position: number | undefined): Date | undefined {
    const measurements = this.measurements.get(partition) ?? [];
    this.measurements.set(partition, measurements);
    // A long backlog: every other measurement tells almost as much.
    if (measurements.length >= MAX_MEASUREMENTS)
      measurements.splice(0, measurements.length, ...measurements.filter((_, i) => i % 2));
    measurements.push(incoming);
    if (position === undefined) return undefined;
    const reached = measurements.findLastIndex(({ end }) => end <= position);
    measurements.splice(0, reached);
    return reached < 0 ? undefined : measurements[0]?.tid;
  }
}
