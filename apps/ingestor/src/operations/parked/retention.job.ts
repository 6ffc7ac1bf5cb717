import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { forgetBatches } from '../../ingest/persons.queries.ts';
import { metrics } from '../../metrics.ts';
import { countLeftOut, pruneParked, readOldestAge } from './parked.queries.ts';

const EVERY_MS = 5 * 60_000;

/** What is kept of parked messages has an end, and somebody is told before it. */
export class ParkedRetention {
  private job: BackgroundJob | undefined;

  constructor(private readonly pool: Pool) {}

  start(): void {
    this.job = startJob({ name: 'parkerte', everyMs: EVERY_MS, run: () => this.round() });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  async round(): Promise<void> {
    await pruneParked(this.pool);
    await forgetBatches(this.pool);
    metrics.oldestParked.set(await readOldestAge(this.pool));
    metrics.parkedLeftOut.set(await countLeftOut(this.pool));
  }
}
