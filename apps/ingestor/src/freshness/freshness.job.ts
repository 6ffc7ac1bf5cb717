import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { positionsTable, readPositions } from '../kafka/positions.queries.ts';
import type { StatusTable } from '../kafka/status-tables.ts';
import type { PartitionExtent, TopicDescription } from '../kafka/topic-admin.ts';
import { metrics } from '../metrics.ts';

/** At this moment, by the database's clock, the partition ended at this offset. */
interface Measurement {
  at: Date;
  end: number;
}

/** What came of a round for a partition. */
interface Measured {
  partition: number;
  end: number;
  /** the latest moment at which it ended no further than what is stored; undefined during a backlog from before us */
  upToDateUntil: Date | undefined;
  /** it is not up to date as of this moment; undefined when nothing is known of one */
  behindAt: Date | undefined;
}

const MAX_MEASUREMENTS = 3_600;
/** Longer than a slow broker takes to answer: it was away. What another ingestor has stored meanwhile is newer. */
const MAX_WAIT_MS = 15_000;

/**
 * Finds, for each partition, the moment up to which everything published is stored: the latest moment at which the
 * partition's end was no further than what is stored now. The end is behind all that is acknowledged, also behind another's
 * open transaction. The clock is the database's, read before the end is: this process's may be wrong. That also holds
 * while a backlog is worked off, and stays where it is when the ingestor is down. Every ingestor does this for all
 * partitions.
 */
export class FreshnessMeter {
  private readonly measurements = new Map<number, Measurement[]>();
  private readonly transactions = new OpenTransactions();
  private latest = new Date(0);
  private topicId: string | undefined;
  private job: BackgroundJob | undefined;

  /** @param resource whose topic it is; undefined: of avtaler */
  constructor(
    private readonly dataSource: DataSource,
    private readonly topic: string,
    private readonly describe: () => Promise<TopicDescription>,
    private readonly resource?: string,
  ) {}

  start(): void {
    const name = this.resource === undefined ? 'ferskhet' : `ferskhet-${this.resource}`;
    this.job = startJob({ name, everyMs: 500, run: () => this.measure() });
  }

  async stop(): Promise<void> {
    // Kafka may be away, and is waited for in there.
    await this.job?.stop(1_000);
  }

  /** One round. */
  async measure(): Promise<void> {
    const at = await this.readClock();
    const asked = performance.now();
    const { id, partitions } = await this.describe();
    if (performance.now() - asked > MAX_WAIT_MS) {
      logger.warn({ topic: this.topic }, 'Kafka took long to tell of its topic: freshness is measured anew');
      return;
    }
    // How far another topic of this name reached says nothing of this one.
    if (id !== this.topicId) this.measurements.clear();
    this.topicId = id;
    const positions = await readPositions(this.dataSource, this.topic, id);
    const measured = partitions.map(({ partition, start, end, stableEnd }) => {
      // What nobody has begun to read is behind by all that it holds: one that is new and empty by nothing.
      const position = positions.get(partition) ?? start;
      this.show({ partition, end, stableEnd }, Math.max(0, end - position));
      return { partition, end, ...this.compare(partition, { at, end }, position) };
    });
    await storeFreshness(this.dataSource, { topic: this.topic, resource: this.resource, id, at, measured });
  }

  private show({ partition, ...ends }: Omit<PartitionExtent, 'start'>, behind: number): void {
    if (this.resource !== undefined)
      return metrics.resourceLag.set({ ressurs: this.resource, partisjon: partition }, behind);
    metrics.lag.set({ partisjon: partition }, behind);
    this.transactions.show(partition, ends);
  }

  /** When it has gone back, what was measured by it before says nothing of the time since. */
  private async readClock(): Promise<Date> {
    const { at, ahead } = await readDatabaseClock(this.dataSource, this.topic, tableOf(this.resource));
    const back = at < this.latest;
    if (back) this.measurements.clear();
    if (back || ahead) {
      metrics.freshnessTakenBack.inc();
      logger.error({ topic: this.topic }, 'The clock of the database went back: freshness is measured anew from now');
    }
    this.latest = at;
    return at;
  }

  private compare(
    partition: number,
    latest: Measurement,
    position: number,
  ): Pick<Measured, 'upToDateUntil' | 'behindAt'> {
    const measurements = this.measurements.get(partition) ?? [];
    this.measurements.set(partition, measurements);
    // A long backlog: every other measurement tells almost as much.
    if (measurements.length >= MAX_MEASUREMENTS)
      measurements.splice(0, measurements.length, ...measurements.filter((_, i) => i % 2));
    measurements.push(latest);
    const reached = measurements.findLastIndex(({ end }) => end <= position);
    measurements.splice(0, reached);
    const [first, second] = measurements;
    return reached < 0
      ? { upToDateUntil: undefined, behindAt: first?.at }
      : { upToDateUntil: first?.at, behindAt: second?.at };
  }
}

/** Transactions of producers that are not at their end: what is behind the first of them can't be read. */
class OpenTransactions {
  private readonly waiting = new Map<number, { stableEnd: number; since: number }>();

  show(partition: number, { end, stableEnd }: Pick<PartitionExtent, 'end' | 'stableEnd'>): void {
    const before = this.waiting.get(partition);
    if (stableEnd >= end) this.waiting.delete(partition);
    else if (before?.stableEnd !== stableEnd) this.waiting.set(partition, { stableEnd, since: performance.now() });
    const { since } = this.waiting.get(partition) ?? {};
    metrics.unreadable.set({ partisjon: partition }, Math.max(0, end - stableEnd));
    metrics.openTransaction.set(
      { partisjon: partition },
      since === undefined ? 0 : (performance.now() - since) / 1_000,
    );
  }
}

function tableOf(resource: string | undefined): StatusTable {
  return resource === undefined ? 'konsum_status' : 'ressurs_status';
}

/** @returns also whether a stored moment is later than now */
async function readDatabaseClock(
  dataSource: DataSource,
  topic: string,
  table: StatusTable,
): Promise<{ at: Date; ahead: boolean }> {
  const [row] = await dataSource.query<{ at: Date; ahead: boolean }[]>(
    `select at, exists (select from ${table} where topic = $1 and oppdatert_til > at) as ahead
     from (select clock_timestamp() as at) klokke`,
    [topic],
  );
  if (!row) throw new Error('A select without a table gives one row');
  return row;
}

interface Round {
  topic: string;
  /** undefined: of avtaler */
  resource: string | undefined;
  /** of the topic that was measured */
  id: string;
  at: Date;
  measured: readonly Measured[];
}

/**
 * A moment never goes back, but for one that is later than now: than this statement, not than the round, which others may
 * have overtaken. A partition that is new counts from the moment that the
 * others had come to: it was not there when they were measured, and held nothing. So the first load is done once, and a
 * partition that is added takes nothing of what is promised. One that is gone can't get anything more, once what was left
 * of it has been noted: from then on it has no position.
 *
 * Nothing is stored of a topic that has been noted as gone, or not yet as new, nor of a partition whose position is on
 * another: how far that one reached tells what was lost with it.
 */
async function storeFreshness(dataSource: DataSource, { topic, resource, id, at, measured }: Round): Promise<void> {
  const table = tableOf(resource);
  await dataSource.transaction(async (db) => {
    // Whoever goes on to the next topic holds them too: what it did is seen by the statement after this one.
    await db.query(`select from ${table} where topic = $1 order by partisjon for update`, [topic]);
    await db.query(STORE[table], [
      topic,
      measured.map(({ partition }) => partition),
      measured.map(({ end }) => end),
      measured.map(({ upToDateUntil }) => upToDateUntil ?? null),
      measured.map(({ behindAt }) => behindAt ?? null),
      at,
      id,
      ...(resource === undefined ? [] : [resource]),
    ]);
  });
}

/** A partition that is new counts from what the others of the same resource had come to: `those` are they. */
function storeSql(
  table: StatusTable,
  { columns, values, those }: Record<'columns' | 'values' | 'those', string>,
): string {
  return `
with gjeldende as (
  select epoke from topic_epoke
  where topic = $1 and topic_id = $7 and epoke = (select max(epoke) from topic_epoke where topic = $1)
), borte as (
  update ${table} s
  set oppdatert_til = case when oppdatert_til <= clock_timestamp() then greatest(oppdatert_til, $6) else $6 end
  where topic = $1 and partisjon <> all($2::int[]) and exists (select from gjeldende)
    and not exists (select from ${positionsTable('$1')} o where o.partisjon = s.partisjon)
), lastet as (
  select case when bool_and(oppdatert_til is not null) then least(min(oppdatert_til), $6::timestamptz) end as til
  from ${table} ${those}
)
insert into ${table} as lagret (topic, partisjon, slutt_offset, oppdatert_til${columns})
select $1, partisjon, slutt, coalesce(til, (select til from lastet))${values}
from unnest($2::int[], $3::bigint[], $4::timestamptz[]) as maalt (partisjon, slutt, til), gjeldende
where not exists (
  select from ${positionsTable('$1')} o where o.partisjon = maalt.partisjon and o.epoke <> gjeldende.epoke)
on conflict (topic, partisjon) do update set slutt_offset = excluded.slutt_offset,
  oppdatert_til = case
    when lagret.oppdatert_til <= clock_timestamp() then greatest(lagret.oppdatert_til, excluded.oppdatert_til)
    when lagret.oppdatert_til is null then excluded.oppdatert_til
    else least(excluded.oppdatert_til, ($5::timestamptz[])[array_position($2::int[], excluded.partisjon)], $6) end`;
}

const STORE: Readonly<Record<StatusTable, string>> = {
  konsum_status: storeSql('konsum_status', { columns: '', values: '', those: '' }),
  ressurs_status: storeSql('ressurs_status', { columns: ', ressurs', values: ', $8', those: 'where ressurs = $8' }),
};
