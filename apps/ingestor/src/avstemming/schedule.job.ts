import { Problem, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { bySchedule } from '../operations/actions.queries.ts';
import type { Avstemming } from './avstemming.ts';

const EVERY_MS = 60_000;
/** After one that failed: it reads the whole topic, and what made it fail is seldom gone at once. */
const RETRY_MS = 600_000;

/** Reconciles with the topic when it is time. One ingestor does it: the others find that one is running, or was just done. */
export class AvstemmingSchedule {
  private job: BackgroundJob | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly avstemming: Avstemming,
    private readonly options: { everyHours: number; client: string },
  ) {}

  start(): void {
    if (this.options.everyHours === 0) return;
    this.job = startJob({ name: 'avstemming', everyMs: EVERY_MS, retryMs: RETRY_MS, run: () => this.round() });
  }

  async stop(): Promise<void> {
    await this.job?.stop(1_000);
  }

  /** One round. */
  async round(): Promise<void> {
    const { rows } = await this.pool.query(
      'select from avstemming where avsluttet > clock_timestamp() - make_interval(hours => $1) limit 1',
      [this.options.everyHours],
    );
    if (rows.length > 0) return;
    try {
      await this.avstemming.withTopic(bySchedule(this.options.client));
    } catch (error) {
      if (error instanceof Problem && error.problemType.status === 409) return;
      throw error;
    }
  }
}
