import { startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { GiveWay } from '../background/give-way.ts';
import { inAttempts } from '../ingest/try-again.ts';
import {
  ALL_DONE,
  insertLinkChanges,
  lockBackfill,
  lockDeltakere,
  nextDeltakere,
  setBackfill,
} from './relations.queries.ts';
import { DELTAKERE_IN_PIECE } from './check.ts';
import { repairRelations } from './relations.ts';

const DELTAKERE_PER_CHUNK = 500;

/**
 * Computes, once in the life of a database, the relations of avtaler that were stored before relations were kept. In the
 * background, while messages are read: what these change is computed anew anyway. Goes on where it was when the process
 * ended; several processes take turns.
 */
export class RelationsBackfill {
  private job: BackgroundJob | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly giveWay: GiveWay,
  ) {}

  start(): void {
    const pieces = this.giveWay.inPieces(DELTAKERE_IN_PIECE);
    this.job = startJob({
      name: 'relasjonsbygging',
      everyMs: 0,
      retryMs: 5_000,
      run: async (signal) => {
        const isDone = await pieces.take((most) => backfillNext(this.pool, most));
        return isDone && !signal.aborted ? 'done' : undefined;
      },
    });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }
}

/** @returns whether there was nothing left */
export function backfillNext(pool: Pool, count = DELTAKERE_PER_CHUNK): Promise<boolean> {
  return inAttempts(pool, async (db) => {
    const doneUntil = await lockBackfill(db);
    if (doneUntil === ALL_DONE) return true;
    const deltakere = await nextDeltakere(db, doneUntil, count);
    await lockDeltakere(db, deltakere);
    await insertLinkChanges(db, [...(await repairRelations(db, deltakere))]);
    await setBackfill(db, deltakere.at(-1) ?? ALL_DONE);
    return deltakere.length === 0;
  });
}
