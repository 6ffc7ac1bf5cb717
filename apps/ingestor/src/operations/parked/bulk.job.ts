import { randomUUID } from 'node:crypto';
import { PROBLEMS, Problem, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import type { GiveWay, Pieces } from '../../background/give-way.ts';
import { inTransaction } from '../../database/transaction.ts';
import { SystematicRefusalError } from '../../ingest/refused.ts';
import { recordAction, setActionCount, type Actor } from '../actions.queries.ts';
import {
  claimBulk,
  endBulk,
  insertBulk,
  recordProgress,
  releaseBulk,
  renewBulk,
  type BulkRequest,
  type BulkRow,
} from './bulk.queries.ts';
import { discardNext, markTriedBy, readWaiting, type Selected } from './parked.queries.ts';
import type { NoteReplayed, ParkedReplay } from './replay.ts';

const EVERY_MS = 1_000;
/** In a transaction: short ones, since the stream of a partition waits while its messages are replayed. */
const REPLAYED_AT_ONCE = { count: 100, bytes: 4 * 1024 * 1024 };
const REPLAYED_IN_PIECE = { first: 100, least: 100, most: REPLAYED_AT_ONCE.count };
const DISCARDED_AT_ONCE = 1_000;

/**
 * One action on all parked messages with a reason, however many there are. What is to be done lies in the database, and is
 * done piece by piece: a process that ends leaves it to another, or to the next one, and how far it has come is told
 * meanwhile. An operator begins and cancels one; a process starts and stops working on whatever there is.
 */
export class ParkedBulk {
  private readonly worker = randomUUID();
  private job: BackgroundJob | undefined;
  private readonly replayed: Pieces;
  private readonly discarded: Pieces;

  constructor(
    private readonly pool: Pool,
    private readonly replay: ParkedReplay,
    giveWay: GiveWay,
    private readonly renewMs = 5_000,
  ) {
    this.replayed = giveWay.inPieces(REPLAYED_IN_PIECE);
    this.discarded = giveWay.inPieces({ first: 100, least: 20, most: DISCARDED_AT_ONCE });
  }

  /** @throws Problem 409 when one is running */
  begin(request: BulkRequest, who: Actor): Promise<BulkRow> {
    const { handling, kode: code, felt: field } = request;
    return inTransaction(this.pool, async (db) => {
      const appliesTo = [code, field].filter((part) => part !== undefined).join(' ') || 'alle';
      const audited = { handling: `${handling}_SAMLET`, gjelder: appliesTo, antall: null } as const;
      const bulk = await insertBulk(db, request, who, await recordAction(db, who, audited));
      if (!bulk) throw new Problem(PROBLEMS.KONFLIKT, 'An action on many parked messages is running');
      return bulk;
    });
  }

  /** @throws Problem 409 when none is running */
  async cancel(who: Actor): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      const bulk = await endBulk(db, null, 'STOPPET');
      if (!bulk) throw new Problem(PROBLEMS.KONFLIKT, 'No action on many parked messages is running');
      await setActionCount(db, bulk.driftshandling, bulk.utfoert);
      await recordAction(db, who, { handling: 'STOPP_SAMLET', gjelder: bulk.id, antall: bulk.utfoert });
    });
  }

  start(): void {
    this.job = startJob({ name: 'parkerte-samlet', everyMs: EVERY_MS, run: (signal) => this.work(signal) });
  }

  /** The piece under way is done first; the rest is for whoever comes next. */
  async stop(): Promise<void> {
    await this.job?.stop();
    if (this.job) await releaseBulk(this.pool, this.worker).catch(() => undefined);
  }

  /** Until it is done, or somebody stops it. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const bulk = await claimBulk(this.pool, this.worker);
      if (!bulk) return;
      // A piece that is read from the topic may be long, and nothing of it come up for long.
      const renewal = setInterval(
        () => void renewBulk(this.pool, this.worker).catch(() => undefined),
        this.renewMs,
      ).unref();
      try {
        if (await this.isDone(bulk, signal)) await this.end(bulk, 'FERDIG');
      } catch (error) {
        if (signal.aborted || error instanceof StoppedError) return;
        // All else may pass: it is tried again.
        if (!(error instanceof SystematicRefusalError)) throw error;
        await this.end(bulk, 'FEILET', error.message);
      } finally {
        clearInterval(renewal);
      }
    }
  }

  private async end({ id, driftshandling }: BulkRow, state: 'FERDIG' | 'FEILET', reason?: string): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      const ended = await endBulk(db, id, state, reason);
      if (ended) await setActionCount(db, driftshandling, ended.utfoert);
    });
  }

  /** The next piece. @returns whether it was the last */
  private isDone(bulk: BulkRow, signal: AbortSignal): Promise<boolean> {
    const selected = { kode: bulk.kode ?? undefined, felt: bulk.felt ?? undefined, until: bulk.tilId, by: bulk.id };
    return bulk.handling === 'FORKAST'
      ? this.discarded.take((most) => this.discard(bulk, selected, most), signal)
      : this.replaySome(bulk, selected, signal);
  }

  private discard(bulk: BulkRow, selected: Selected, count: number): Promise<boolean> {
    const by = { who: bulk.hvem, reason: bulk.begrunnelse ?? 'ANNET' };
    return inTransaction(this.pool, async (db) => {
      const ids = await discardNext(db, selected, { after: bulk.sisteId, count }, by);
      await noteProgress(db, bulk, { done: ids.length, last: ids.at(-1) });
      return ids.length < count;
    });
  }

  private async replaySome(bulk: BulkRow, selected: Selected, signal: AbortSignal): Promise<boolean> {
    const note: NoteReplayed = async (db, { replayed: done, stillParked }) =>
      noteProgress(db, bulk, { done, stillParked: await markTriedBy(db, bulk.id, stillParked) });
    const isAny = await this.replayed.take(async (count) => {
      const rows = await readWaiting(this.pool, selected, bulk.sisteId, { ...REPLAYED_AT_ONCE, count });
      if (rows.length === 0) return false;
      await this.replay.replayChunk(rows, bulk, note);
      await noteProgress(this.pool, bulk, { last: rows.at(-1)?.id });
      return true;
    }, signal);
    if (isAny) return false;
    await this.replay.replayLeftOut(selected, bulk, note, signal);
    return true;
  }
}

/** Somebody has stopped it meanwhile: what is under way is undone. */
class StoppedError extends Error {}

async function noteProgress(
  db: Pool | PoolClient,
  { id }: BulkRow,
  progress: Parameters<typeof recordProgress>[2],
): Promise<void> {
  if (!(await recordProgress(db, id, progress))) throw new StoppedError();
}
