import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Reader } from '../lookups/reader.ts';
import { preparedStatement, type Query } from '../lookups/statement.ts';
import { metrics } from '../metrics.ts';

/** Of a partition of the topic. */
export interface PartitionFreshness {
  partition: number;
  /** everything published to it until then is included, ms since 1970; null before the first load is done */
  updatedToMs: number | null;
  ageSeconds: number | null;
  /** messages of it were lost, and no reconciliation has made up for them */
  hasGap: boolean;
}

interface FreshnessRow {
  partisjon: number;
  oppdatert_til: number | null;
  age: number | null;
  har_hull: boolean;
}

/** By the database's clock: this process's may be wrong. */
const FRESHNESS: Query<FreshnessRow> = {
  statement: preparedStatement(`
    select partisjon, floor(extract(epoch from least(oppdatert_til, now())) * 1000)::bigint as oppdatert_til,
      greatest(0, extract(epoch from now() - oppdatert_til))::float8 as age,
      exists (select from konsum_hull h where h.topic = s.topic and h.partisjon = s.partisjon and h.lukket is null) as har_hull
    from konsum_status s order by partisjon`),
  values: [],
};

/** How old the data is, for those who ask about that alone; each other answer has the moment that it was read with. */
export class Freshness {
  private latest: readonly PartitionFreshness[] = [];
  private readAt = 0;

  constructor(private readonly reader: Reader) {}

  /** Keeps the metric and `known` up to date. */
  start(everyMs = 1_000): BackgroundJob {
    const round = (): Promise<void> => this.read().then(() => undefined);
    return startJob({ name: 'ferskhet', everyMs, run: () => round().finally(() => this.showAge()) });
  }

  /** @throws Problem 503 when the database can't be asked */
  async read(who?: string): Promise<readonly PartitionFreshness[]> {
    const rows = await this.reader.query(FRESHNESS, { who });
    this.readAt = performance.now();
    this.latest = rows.map((row) => ({
      partition: row.partisjon,
      updatedToMs: row.oppdatert_til,
      ageSeconds: row.age,
      hasGap: row.har_hull,
    }));
    return this.latest;
  }

  /** As last read; undefined before the first load is done. */
  get known(): PartitionFreshness | undefined {
    return oldest(this.latest);
  }

  /** As `known`, and older with each second, also while the database can't be asked. */
  get knownNow(): PartitionFreshness | undefined {
    const { known } = this;
    if (!known || known.ageSeconds === null) return known;
    return { ...known, ageSeconds: known.ageSeconds + (performance.now() - this.readAt) / 1_000 };
  }

  /** As old as the process while there is no data yet. */
  private showAge(): void {
    metrics.dataAge.set(this.knownNow?.ageSeconds ?? performance.now() / 1_000);
  }
}

/** The partition that is furthest behind; undefined when one promises nothing yet, or there is none. */
export function oldest(partitions: readonly PartitionFreshness[]): PartitionFreshness | undefined {
  if (partitions.some(({ updatedToMs }) => updatedToMs === null)) return undefined;
  return partitions.toSorted((a, b) => (a.updatedToMs ?? 0) - (b.updatedToMs ?? 0))[0];
}
