import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Writer } from './writer.ts';

const DAILY_MS = 24 * 60 * 60_000;
const RETRY_MS = 60_000;
/** In a transaction, which holds those that have any against the stream meanwhile. */
const CHUNK = 1_000;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * Idents that the source corrected before they left the history by themselves: written by an earlier version, or while
 * the organisation kept them. They are looked for once, and again only when some have been kept since.
 */
export class FormerIdents {
  private job: BackgroundJob | undefined;

  constructor(private readonly writer: Writer) {}

  start(): void {
    const run = (signal: AbortSignal): Promise<void> => this.forget(signal);
    this.job = startJob({ name: 'tidligere-identer', everyMs: DAILY_MS, retryMs: RETRY_MS, run });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  async forget(signal?: AbortSignal): Promise<void> {
    const formerIdents = await this.writer.formerIdents();
    if (formerIdents === undefined) return;
    let last: string | undefined = BEFORE_ALL;
    while (!signal?.aborted && last !== undefined) last = await this.writer.forgetFormerIdents(last, CHUNK);
    if (last === undefined) await this.writer.forgotten(formerIdents);
  }
}
