import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { metrics } from '../metrics.ts';
import { makePartitions, readMonthsAhead, readPartitions } from './partitions.queries.ts';
import { applyRetention, type RetentionOptions } from './retention.ts';
import { pruneReports } from './row-limits.queries.ts';
import type { RetentionRule } from './rules.ts';

const EVERY_MS = 5 * 60_000;

/** The partitions to come are made, what is old enough goes, and what is amiss with either is told of early. */
export class Retention {
  private job: BackgroundJob | undefined;

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
      const outcomes = await applyRetention(this.pool, this.rules, options);
      for (const { table, month, outcome, heldBackBy } of outcomes) {
        // Another ingestor has dropped it.
        if (outcome === 'BORTE') continue;
        const line = { tabell: table, maaned: month, utfall: outcome, hindring: heldBackBy };
        logger.info(line, outcome === 'GAAR' ? 'A partition is dropped' : 'A partition that is old enough stays');
      }
      await pruneReports(this.pool);
    } finally {
      await this.measure();
    }
  }

  private async measure(): Promise<void> {
    const partitions = await readPartitions(this.pool, { count: false });
    for (const { table } of await readMonthsAhead(this.pool)) {
      const own = partitions.filter((partition) => partition.table === table);
      metrics.partitionsEndIn.set({ tabell: table }, secondsCovered(own.map(({ from, to }) => ({ from, to }))));
      const astray = own.find(({ to }) => to === null)?.rows ?? 0;
      metrics.rowsAstray.set({ tabell: table }, astray);
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
