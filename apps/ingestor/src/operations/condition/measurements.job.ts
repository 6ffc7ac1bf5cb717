import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { deleteOldMeasurements, insertMeasurement } from './measurements.queries.ts';

const EVERY_MS = 10_000;

/**
 * Notes how it goes, each half minute of the last day. What is noted is read of the database, so it is the same whoever
 * notes it, and the first that does is enough: it goes on through restarts, with one ingestor or with many.
 */
export class Measurements {
  private job: BackgroundJob | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly topic: string,
  ) {}

  start(): void {
    this.job = startJob({ name: 'driftsmaaling', everyMs: EVERY_MS, run: () => this.measure() });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  /** One round. */
  async measure(): Promise<void> {
    if (await insertMeasurement(this.pool, this.topic)) await deleteOldMeasurements(this.pool);
  }
}
