import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { DataSource } from 'typeorm';

const EVERY_MS = 1_000;

/**
 * After a standby has taken over, those who follow the new primary have the feed's new epoch with its first line. This
 * tells them also when no line comes: until then a consumer who asks both would be told again and again to begin anew.
 */
export class TimelineNote {
  private job: BackgroundJob | undefined;

  constructor(private readonly dataSource: DataSource) {}

  start(): void {
    const run = (): Promise<void> => this.dataSource.query('select noter_tidslinje()');
    this.job = startJob({ name: 'tidslinje', everyMs: EVERY_MS, run });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }
}
