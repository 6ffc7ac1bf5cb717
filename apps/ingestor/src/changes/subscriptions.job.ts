import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { DataSource } from 'typeorm';

const LOCK_NOT_AVAILABLE = '55P03';
const HOURLY_MS = 60 * 60_000;
/** A consumer that hasn't asked for so long has no need of it any more. */
export const KEPT_UNUSED_DAYS = 90;

/**
 * Removes subscriptions that nobody uses, and those of consumers that are gone from the registry: the query-apis tell
 * which there are. Here, since this is the process that may remove what is old.
 */
export class SubscriptionCleanup {
  private job: BackgroundJob | undefined;

  constructor(private readonly dataSource: DataSource) {}

  start(): void {
    this.job = startJob({ name: 'abonnementsrydding', everyMs: HOURLY_MS, run: () => this.clean() });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  async clean(): Promise<void> {
    const rows = await this.dataSource.query<{ antall: number }[]>('select rydd_abonnementer($1) as antall', [
      KEPT_UNUSED_DAYS,
    ]);
    const count = rows[0]?.antall ?? 0;
    if (count > 0) logger.info({ antall: count }, 'Subscriptions that nobody has a use for any more are removed');
    await this.endFollowing();
  }

  /** When nobody subscribes any more, nothing is written for subscriptions. Whoever is writing goes first: the next hour will do. */
  private async endFollowing(): Promise<void> {
    try {
      await this.dataSource.query('select slutt_aa_foelge()');
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
    }
  }
}
