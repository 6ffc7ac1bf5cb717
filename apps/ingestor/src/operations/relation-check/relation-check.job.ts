import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import type { GiveWay } from '../../background/give-way.ts';
import { checkRelations, DELTAKERE_IN_PIECE, type Deviation } from '../../relations/check.ts';
import {
  beginRelationCheck,
  endRelationCheck,
  failRelationCheck,
  isRelationCheckDue,
  MAX_DEVIATIONS,
  nextRelationCheck,
  orderRelationCheck,
  recordPutRight,
  tryRelationLock,
} from './relation-check.queries.ts';

const EVERY_MS = 5_000;

/**
 * Does the checks of relations that somebody has asked for, and orders one itself when it is time. One ingestor does it at
 * a time; what a process had begun that ended is begun again by the next, and what failed is over.
 */
export class RelationCheck {
  private job: BackgroundJob | undefined;

  /** @param everyHours 0: only when somebody asks */
  constructor(
    private readonly pool: Pool,
    private readonly everyHours: number,
    private readonly giveWay: GiveWay,
  ) {}

  start(): void {
    this.job = startJob({ name: 'relasjonskontroll', everyMs: EVERY_MS, run: (signal) => this.round(signal) });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  /** One round. */
  async round(signal?: AbortSignal): Promise<void> {
    const isDue = await isRelationCheckDue(this.pool, this.everyHours);
    if (!isDue && (await nextRelationCheck(this.pool)) === undefined) return;
    const db = await this.pool.connect();
    try {
      if (!(await tryRelationLock(db))) return;
      // What another did before it gave the lock back is seen by these.
      if (await isRelationCheckDue(this.pool, this.everyHours)) await orderRelationCheck(db, 'tidsplan', false);
      const next = await nextRelationCheck(this.pool);
      if (next === undefined) return;
      await this.check(db, next, signal);
    } finally {
      // The lock goes with the connection.
      db.release(true);
    }
  }

  private async check(
    db: PoolClient,
    { id, rett }: { id: string; rett: boolean },
    signal?: AbortSignal,
  ): Promise<void> {
    await beginRelationCheck(db, id);
    const deviations: Deviation[] = [];
    try {
      const result = await checkRelations(this.pool, {
        repair: rett,
        pieces: this.giveWay.inPieces(DELTAKERE_IN_PIECE),
        ...(signal ? { signal } : {}),
        report: (deviation) => void (deviations.length < MAX_DEVIATIONS && deviations.push(deviation)),
        record: (session, found) => recordPutRight(session, id, found),
      });
      if (signal?.aborted) return;
      const all = await endRelationCheck(db, id, result, deviations);
      const level = all.mangler + all.overfloedige > 0 ? 'error' : 'info';
      logger[level]({ ...result, ...all, id }, 'The relations were checked');
    } catch (error) {
      // When the database is away this fails too, and the check is begun again when it is back.
      if (!signal?.aborted) await failRelationCheck(this.pool, id);
      throw error;
    }
  }
}
