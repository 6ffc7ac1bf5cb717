import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Reader } from '../lookups/reader.ts';
import { preparedStatement, type Query } from '../lookups/statement.ts';
import { metrics } from '../metrics.ts';
import { RESOURCES } from '../resources/resources.ts';

/** Of a partition of a topic. */
export interface PartitionFreshness {
  partition: number;
  /** everything published to it until then is included, ms since 1970; null before the first load is done */
  updatedToMs: number | null;
  ageSeconds: number | null;
  /** messages of it were lost, and no reconciliation has made up for them */
  hasGap: boolean;
}

/** Of avtaler, and of each other resource by its name: without partitions, it has no topic here. */
export interface TopicsFreshness {
  avtaler: readonly PartitionFreshness[];
  resources: ReadonlyMap<string, readonly PartitionFreshness[]>;
}

interface FreshnessRow {
  ressurs: string | null;
  partisjon: number;
  oppdatert_til: number | null;
  age: number | null;
  har_hull: boolean;
}

/** By the database's clock: this process's may be wrong. */
const FRESHNESS: Query<FreshnessRow> = {
  statement: preparedStatement(`
    select ressurs, partisjon, floor(extract(epoch from least(oppdatert_til, now())) * 1000)::bigint as oppdatert_til,
      greatest(0, extract(epoch from now() - oppdatert_til))::float8 as age,
      exists (select from konsum_hull h where h.topic = s.topic and h.partisjon = s.partisjon and h.lukket is null) as har_hull
    from (select null as ressurs, topic, partisjon, oppdatert_til from konsum_status
      union all select ressurs, topic, partisjon, oppdatert_til from ressurs_status) s order by partisjon`),
  values: [],
};

/** How old the data is, for those who ask about that alone; each other answer has the moment that it was read with. */
export class Freshness {
  private latest: TopicsFreshness = { avtaler: [], resources: new Map() };
  private readAt = 0;

  constructor(private readonly reader: Reader) {}

  /** Keeps the metrics and `known` up to date. */
  start(everyMs = 1_000): BackgroundJob {
    const round = (): Promise<void> => this.read().then(() => undefined);
    return startJob({ name: 'ferskhet', everyMs, run: () => round().finally(() => this.showAges()) });
  }

  /** @throws Problem 503 when the database can't be asked */
  async read(who?: string): Promise<TopicsFreshness> {
    const rows = await this.reader.query(FRESHNESS, { who });
    this.readAt = performance.now();
    const ofResource = (name: string | null): PartitionFreshness[] =>
      rows.filter(({ ressurs }) => ressurs === name).map(toPartition);
    this.latest = {
      avtaler: ofResource(null),
      resources: new Map(RESOURCES.map(({ resource: { name } }) => [name, ofResource(name)])),
    };
    return this.latest;
  }

  /** Of avtaler, as last read; undefined before the first load is done. */
  get known(): PartitionFreshness | undefined {
    return oldest(this.latest.avtaler);
  }

  /** As `known`, and older with each second, also while the database can't be asked. */
  get knownNow(): PartitionFreshness | undefined {
    return this.agedNow(this.known);
  }

  private agedNow(known: PartitionFreshness | undefined): PartitionFreshness | undefined {
    if (!known || known.ageSeconds === null) return known;
    return { ...known, ageSeconds: known.ageSeconds + (performance.now() - this.readAt) / 1_000 };
  }

  /** As old as the process while there is no data yet; nothing of a resource without a topic. */
  private showAges(): void {
    const ageOf = (known: PartitionFreshness | undefined): number =>
      this.agedNow(known)?.ageSeconds ?? performance.now() / 1_000;
    metrics.dataAge.set(ageOf(this.known));
    for (const [name, partitions] of this.latest.resources) {
      if (partitions.length > 0) metrics.resourceAge.set({ ressurs: name }, ageOf(oldest(partitions)));
      else metrics.resourceAge.remove({ ressurs: name });
    }
  }
}

function toPartition(row: FreshnessRow): PartitionFreshness {
  const { partisjon: partition, oppdatert_til: updatedToMs, age: ageSeconds, har_hull: hasGap } = row;
  return { partition, updatedToMs, ageSeconds, hasGap };
}

/** The partition that is furthest behind; undefined when one promises nothing yet, or there is none. */
export function oldest(partitions: readonly PartitionFreshness[]): PartitionFreshness | undefined {
  if (partitions.some(({ updatedToMs }) => updatedToMs === null)) return undefined;
  return partitions.toSorted((a, b) => (a.updatedToMs ?? 0) - (b.updatedToMs ?? 0))[0];
}
