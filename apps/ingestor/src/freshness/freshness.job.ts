import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { readPositions } from '../kafka/positions.queries.ts';
import type { PartitionExtent } from '../kafka/topic-admin.ts';
import { metrics } from '../metrics.ts';

/** At this moment the partition ended at this offset. */
interface Measurement {
  at: Date;
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
  private job: BackgroundJob | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly topic: string,
    private readonly readExtents: () => Promise<PartitionExtent[]>,
  ) {}

  start(): void {
    this.job = startJob({ name: 'ferskhet', everyMs: 500, run: () => this.measure() });
  }

  async stop(): Promise<void> {
    // Kafka may be away, and is waited for in there.
    await this.job?.stop(1_000);
  }

  private async measure(): Promise<void> {
    const at = new Date();
    const extents = await this.readExtents();
    const positions = await readPositions(this.dataSource, this.topic);
    const measured = extents.map(({ partition, end }) => {
      const position = positions.get(partition);
      metrics.lag.set({ partisjon: partition }, position === undefined ? end : Math.max(0, end - position));
      return { partition, end, upToDateUntil: this.upToDateUntil(partition, { at, end }, position) };
    });
    await this.dataSource.query(
      `insert into konsum_status (topic, partisjon, slutt_offset, oppdatert_til)
       select $1, * from unnest($2::int[], $3::bigint[], $4::timestamptz[])
       on conflict (topic, partisjon) do update set slutt_offset = excluded.slutt_offset,
         oppdatert_til = greatest(konsum_status.oppdatert_til, excluded.oppdatert_til)`,
      [
        this.topic,
        measured.map(({ partition }) => partition),
        measured.map(({ end }) => end),
        measured.map(({ upToDateUntil }) => upToDateUntil ?? null),
      ],
    );
  }

  private upToDateUntil(partition: number, latest: Measurement, position: number | undefined): Date | undefined {
    const measurements = this.measurements.get(partition) ?? [];
    this.measurements.set(partition, measurements);
    // A long backlog: every other measurement tells almost as much.
    if (measurements.length >= MAX_MEASUREMENTS)
      measurements.splice(0, measurements.length, ...measurements.filter((_, i) => i % 2));
    measurements.push(latest);
    if (position === undefined) return undefined;
    const reached = measurements.findLastIndex(({ end }) => end <= position);
    measurements.splice(0, reached);
    return reached < 0 ? undefined : measurements[0]?.at;
  }
}
