import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';

const EVERY_MS = 5 * 60_000;

/**
 * Has the audit of look-ups summed up, so that consumers can be told what they use of what they are granted. This login can't
 * read the audit: the database does it, step by step, for whichever ingestor asks (ADR 50).
 */
export class UsageSummary {
  private job: BackgroundJob | undefined;

  constructor(private readonly pool: Pool) {}

  start(): void {
    this.job = startJob({
      name: 'konsumentbruk',
      everyMs: EVERY_MS,
      run: (signal) => summarizeUsage(this.pool, signal),
    });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }
}

export async function summarizeUsage(pool: Pool, signal?: AbortSignal): Promise<void> {
  while (signal?.aborted !== true) {
    const { rows } = await pool.query<{ more: boolean }>('select oppsummer_bruk() as more');
    if (rows[0]?.more !== true) return;
  }
}
