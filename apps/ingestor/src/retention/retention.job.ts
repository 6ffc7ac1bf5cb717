import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { metrics } from '../metrics.ts';
import { makePartitions, readPartitionedTables } from './partitions.queries.ts';
import { applyRetention, readRetention, type RetentionOptions, type RetentionOutcome } from './retention.ts';
import { pruneReports } from './row-limits.queries.ts';
import type { RetentionRule } from './rules.ts';

const EVERY_MS = 5 * 60_000;

/** The partitions to come are made, what is old enough goes, and what is amiss with either is told of early. */
export class Retention {
  private job: BackgroundJob | undefined;
  /** what was told of each partition that stays */
  private told = new Map<string, string>();

  constructor(
    private readonly pool: Pool,
    private readonly rules: readonly RetentionRule[],
  ) {}

  start(): void {
    this.job = startJob({
      name: 'partisjoner',
      everyMs: EVERY_MS,
      retryMs: 10_000,
      run: (signal) => this.round({ signal }),
    });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  async round(options: RetentionOptions = {}): Promise<void> {
    try {
      const made = await makePartitions(this.pool);
      if (made.length > 0) logger.info({ partisjoner: made }, 'Partitions of the months to come are made');
      this.tell(await applyRetention(this.pool, this.rules, options));
      await pruneReports(this.pool);
    } finally {
      await this.measure(options);
    }
  }

  /** What is as it was in the round before has been told of: it may be so for months. */
  private tell(outcomes: readonly RetentionOutcome[]): void {
    const staying = new Map<string, string>();
    for (const { table, month, outcome, heldBackBy } of outcomes) {
      const line = { tabell: table, maaned: month, utfall: outcome, hindring: heldBackBy };
      if (outcome === 'GAAR') logger.info(line, 'A partition is dropped');
      // Else another ingestor has dropped it.
      if (outcome !== 'HOLDES_IGJEN' && outcome !== 'OPPTATT') continue;
      const key = `${table}_${String(month)}`;
      staying.set(key, `${outcome} ${String(heldBackBy)}`);
      if (this.told.get(key) !== staying.get(key)) logger.info(line, 'A partition that is old enough stays');
    }
    this.told = staying;
  }

  private async measure({ now }: RetentionOptions): Promise<void> {
    const partitions = await readRetention(this.pool, this.rules, { count: false, ...(now && { now }) });
    for (const table of await readPartitionedTables(this.pool)) {
      const own = partitions.filter((partition) => partition.table === table);
      metrics.partitionsEndIn.set({ tabell: table }, secondsCovered(own.map(({ from, to }) => ({ from, to }))));
      const astray = own.find(({ to }) => to === null)?.rows ?? 0;
      metrics.rowsAstray.set({ tabell: table }, astray);
      metrics.partitionOverdue.set({ tabell: table }, Math.max(0, ...own.map(({ dueForMs }) => dueForMs)) / 1_000);
    }
  }
}

/** For how long from now there is a partition without a gap. */
function secondsCovered(ranges: { from: Date | null; to: Date | null }[]): number {
  let covered = Date.now();
  for (const { from, to } of ranges.toSorted((a, b) => Number(a.to) - Number(b.to))) {
    if (to && Number(from ?? 0) <= covered && to.getTime() > covered) covered = to.getTime();
  }
  return (covered - Date.now()) / 1_000;
}
