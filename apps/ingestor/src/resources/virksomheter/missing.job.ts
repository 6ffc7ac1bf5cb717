import { LOCKS } from '@tiltak/database';
import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { inTransaction } from '../../database/transaction.ts';
import { metrics } from '../../metrics.ts';
import { noteMissing, readFigures } from './hierarchy.queries.ts';

/** It looks at each number that avtaler name: seconds, with ten million of them. */
const EVERY_MS = 15 * 60_000;

/** Which virksomheter are named and not here, and since when; and what of the hierarchy somebody should see. */
export class MissingVirksomheter {
  private job: BackgroundJob | undefined;

  constructor(private readonly pool: Pool) {}

  start(): void {
    this.job = startJob({
      name: 'manglende-virksomheter',
      everyMs: EVERY_MS,
      retryMs: 60_000,
      run: () => this.round(),
    });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  async round(): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      const { rows } = await db.query<{ mine: boolean }>(
        `select pg_try_advisory_xact_lock(${LOCKS.MISSING_VIRKSOMHETER}) as mine`,
      );
      if (rows[0]?.mine) await noteMissing(db);
    });
    const { missing, oldestSeconds, withoutTop, untold } = await readFigures(this.pool);
    metrics.missingVirksomheter.set(missing);
    metrics.oldestMissingVirksomhet.set(oldestSeconds);
    metrics.withoutHovedenhet.set(withoutTop);
    metrics.untoldHovedenheter.set(untold);
  }
}
