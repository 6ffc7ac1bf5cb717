import { setTimeout as wait } from 'node:timers/promises';
import { logger } from '@tiltak/platform';
import type { Pool } from 'pg';
import { inTransaction } from '../database/transaction.ts';
import {
  ALL_DONE,
  insertLinkChanges,
  lockBackfill,
  lockDeltakere,
  nextDeltakere,
  setBackfill,
} from './relations.queries.ts';
import { repairRelations } from './relations.ts';

const DELTAKERE_PER_CHUNK = 500;

/**
 * Computes, once in the life of a database, the relations of avtaler that were stored before relations were kept. In the
 * background, while messages are read: what these change is computed anew anyway. Goes on where it was when the process
 * ended; several processes take turns.
 */
export class RelationsBackfill {
  private readonly abort = new AbortController();
  private inProgress: Promise<void> = Promise.resolve();

  constructor(private readonly pool: Pool) {}

  start(): void {
    this.inProgress = this.build();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.inProgress;
  }

  private async build(): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      try {
        if (await backfillNext(this.pool)) return;
      } catch (error) {
        logger.warn({ err: error }, 'Relations could not be computed; trying again');
        await wait(5_000, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

/** @returns whether there was nothing left */
export function backfillNext(pool: Pool, count = DELTAKERE_PER_CHUNK): Promise<boolean> {
  return inTransaction(pool, async (db) => {
    const built = await lockBackfill(db);
    if (built === ALL_DONE) return true;
    const deltakere = await nextDeltakere(db, built, count);
    await lockDeltakere(db, deltakere);
    await insertLinkChanges(db, [...(await repairRelations(db, deltakere))]);
    await setBackfill(db, deltakere.at(-1) ?? ALL_DONE);
    return deltakere.length === 0;
  });
}
