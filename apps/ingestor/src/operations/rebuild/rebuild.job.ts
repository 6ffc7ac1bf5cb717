import { PROBLEMS, Problem, logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { MESSAGES_IN_PIECE, type GiveWay, type Pieces } from '../../background/give-way.ts';
import { inTransaction } from '../../database/transaction.ts';
import { partOf, type MessageBatch } from '../../kafka/batch.ts';
import { readEpoch } from '../../kafka/epochs.queries.ts';
import type { TopicReader } from '../../kafka/topic-reader.ts';
import { metrics } from '../../metrics.ts';
import { recordAction, type Actor } from '../actions.queries.ts';
import { lockWaitingAmong, markReplayed } from '../parked/parked.queries.ts';
import { checkFeed } from './feed-check.ts';
import type { Rebuildable } from './rebuildable.ts';
import {
  countOpenGaps,
  insertRebuild,
  isRead,
  lockPlan,
  passRemoved,
  readRunning,
  recordRead,
  setCancelled,
  setDone,
  type RunningRebuild,
} from './rebuild.queries.ts';
import { setConfirmed } from './resource-rebuild.queries.ts';

const ROWS_IN_PIECE = { first: 1_000, least: 100, most: 20_000 };
/** What was seen is forgotten as soon as a rebuild is over; this is for what a process left that ended in the middle of it. */
const REST_MS = 60_000;

export interface RebuildOptions {
  /** The source has published all of it again since gaps of the topic were found: when it is done, these are closed. */
  closesGaps?: boolean;
  /** Nothing is changed: it is told what would be. */
  isReport?: boolean;
}

/**
 * Reads the topic again from its start while the stream goes on, in a consumer group and with positions of its own.
 * What is to be done lies in the database: every ingestor joins in, and another goes on when one is killed. An operator
 * begins and cancels a rebuild; a process starts and stops taking part in whatever there is.
 */
export class Rebuild {
  private reading: { id: string; reader: TopicReader; end: AbortController } | undefined;
  private job: BackgroundJob | undefined;
  /** by `performance.now()`: until then there is nothing to forget, as far as this process has seen */
  private restsUntil = 0;
  private readonly pieces: Pieces;
  private readonly rows: Pieces;

  constructor(
    private readonly pool: Pool,
    readonly rebuilt: Rebuildable,
    giveWay: GiveWay,
  ) {
    this.pieces = giveWay.inPieces(MESSAGES_IN_PIECE);
    this.rows = giveWay.inPieces(ROWS_IN_PIECE);
  }

  /**
   * @throws Problem 409 when one is running, 503 when Kafka does not answer, 400 for what this can't be asked
   */
  async begin(who: Actor, { closesGaps = false, isReport = false }: RebuildOptions = {}): Promise<void> {
    const { topic, removal } = this.rebuilt;
    // What is named stays: that it is gone at the source is not known of it.
    if (closesGaps && !removal) refuseOption('lukkHull', 'is for what is removed when the topic lacks it');
    if (closesGaps && isReport) refuseOption('lukkHull', 'is for what is put right, and a report puts nothing right');
    if (isReport && !removal)
      refuseOption('rapport', 'is of another resource: avtaler are reconciled with their topic');
    const { id: topicId, partitions: extents } = await topic.describe();
    const epoch = await readEpoch(this.pool, topic.name, topicId);
    await inTransaction(this.pool, async (db) => {
      await this.rebuilt.prepare?.(db);
      const id = await insertRebuild(db, topic.name, { who: who.hvem, closesGaps, isReport }, { epoch, extents });
      if (id === undefined) throw new Problem(PROBLEMS.KONFLIKT, 'A rebuild is running');
      const action = isReport ? 'RAPPORTER_GJENOPPBYGGING' : 'START_GJENOPPBYGGING';
      await recordAction(db, who, { handling: action, gjelder: id, antall: null });
    });
  }

  /** @throws Problem 409 when none is running */
  async cancel(who: Actor): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      if (!(await setCancelled(db, this.rebuilt.topic.name)))
        throw new Problem(PROBLEMS.KONFLIKT, 'No rebuild is running');
      await recordAction(db, who, { handling: 'STOPP_GJENOPPBYGGING', gjelder: null, antall: null });
    });
  }

  /**
   * What was not seen may go, so many as the one who asks knows of.
   *
   * @throws Problem 409 when none waits for that, or there is another number of them
   */
  async confirm(count: number, who: Actor): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      const id = await setConfirmed(db, this.rebuilt.topic.name, count);
      if (id === undefined) {
        throw new Problem(PROBLEMS.KONFLIKT, 'No rebuild waits to have just so many removed');
      }
      await recordAction(db, who, { handling: 'BEKREFT_GJENOPPBYGGING', gjelder: id, antall: count });
    });
  }

  /** Of its topic: those that nothing has made up for. */
  countGaps(): Promise<number> {
    return countOpenGaps(this.pool, this.rebuilt.topic.name);
  }

  start(): void {
    const { name } = this.rebuilt;
    const job = name === 'avtaler' ? 'gjenoppbygging' : `gjenoppbygging-${name}`;
    this.job = startJob({ name: job, everyMs: 1_000, run: (signal) => this.round(signal) });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
    await this.leave();
  }

  /** One round. */
  async round(signal: AbortSignal): Promise<void> {
    const running = await readRunning(this.pool, this.rebuilt.topic.name);
    metrics.rebuildAwaits.set({ ressurs: this.rebuilt.name }, running?.isNamed && !running.isConfirmed ? 1 : 0);
    await this.join(running?.id);
    if (running) {
      this.restsUntil = 0;
      if (await isRead(this.pool, running.id)) await this.end(running, signal);
    } else if (performance.now() >= this.restsUntil) await this.forgetSeen(signal);
  }

  /** Begun again where a process ended in the middle of it. */
  private async end({ id, isNamed, isConfirmed, isReport }: RunningRebuild, signal: AbortSignal): Promise<void> {
    if (!isNamed) await this.nameUnseen(id, signal);
    if (signal.aborted) return;
    const { removal } = this.rebuilt;
    if (!removal) {
      if (await this.isFeedRight(id, signal)) await setDone(this.pool, id);
      return;
    }
    const named = isNamed ? { isConfirmed } : await removal.setNamed(id);
    if (!named?.isConfirmed) return;
    for (let isMore = !isReport; isMore;) {
      if (signal.aborted) return;
      isMore = await this.rows.take((most) => removal.remove(id, most));
      if (isMore && (await readRunning(this.pool, this.rebuilt.topic.name))?.id !== id) return;
    }
    const uncounted = await removal.check(id, { repair: !isReport });
    // What it would be told depends on what would have been put right before.
    if (isReport || (await this.isFeedRight(id, signal))) await setDone(this.pool, id, uncounted);
  }

  /** Last, when the rows are. @returns whether it is, by now */
  private isFeedRight(id: string, signal: AbortSignal): Promise<boolean> {
    const { feed } = this.rebuilt;
    if (!feed) return Promise.resolve(true);
    const isOver = async (): Promise<boolean> => (await readRunning(this.pool, this.rebuilt.topic.name))?.id !== id;
    return checkFeed(this.pool, id, feed, { pieces: this.rows, isOver, signal });
  }

  private async nameUnseen(id: string, signal: AbortSignal): Promise<void> {
    let last: string | undefined;
    do {
      if (signal.aborted) return;
      const after = last;
      last = await this.rows.take((most) => this.rebuilt.nameUnseen(id, after, most));
    } while (last !== undefined);
  }

  private async forgetSeen(signal: AbortSignal): Promise<void> {
    let isAny = true;
    while (isAny && !signal.aborted) {
      isAny = await this.rows.take(async (most) => (await this.rebuilt.deleteSeen(most)) > 0);
    }
    if (!isAny) this.restsUntil = performance.now() + REST_MS;
  }

  /** Reads along with the one that runs, and no longer with one that is over. */
  private async join(running: string | undefined): Promise<void> {
    const { topic: source } = this.rebuilt;
    const topic = source.name;
    // Also when another has begun since: the reader of the last one may wait at the end.
    if (this.reading && this.reading.id !== running) {
      await this.leave();
      logger.info({ topic }, 'A rebuild has ended');
    }
    if (running && !this.reading) {
      const end = new AbortController();
      logger.info({ topic }, 'Reading the topic again');
      const reader = source.createReader({
        purpose: 'gjenoppbygging',
        handle: (batch) => this.replayInPieces(batch, end.signal),
        positions: async (description) => {
          await passRemoved(this.pool, topic, description);
          return (await readRunning(this.pool, topic))?.positions ?? new Map<number, number>();
        },
      });
      this.reading = { id: running, reader, end };
      reader.listen(() => undefined);
    }
  }

  /** With the piece that is under way. */
  private async leave(): Promise<void> {
    const { reading } = this;
    this.reading = undefined;
    reading?.end.abort();
    await reading?.reader.close();
  }

  /** A position of the stream is locked for a piece only. Answers with where to go on. */
  private async replayInPieces(batch: MessageBatch, signal: AbortSignal): Promise<number> {
    let [at, next] = [0, batch.fetchedFrom];
    do {
      if (signal.aborted) return next;
      const answered = await this.pieces.take(async (most) => {
        const part = { ...partOf(batch, at, most), fetchedFrom: next };
        at += part.messages.length;
        next = part.nextOffset;
        return this.replay(part);
      });
      if (answered !== next) return answered;
    } while (at < batch.messages.length);
    return next;
  }

  /** As the stream, but by what is left of the plan. Answers with where to go on. */
  private replay(batch: MessageBatch): Promise<number> {
    const { topic, epoch, partition, nextOffset } = batch;
    return this.rebuilt.write<number>({
      topic,
      epoch,
      partition,
      select: async (db) => {
        const plan = await lockPlan(db, topic, partition);
        if (!plan || plan.next >= plan.end) return { answer: nextOffset };
        if (plan.epoch !== epoch) {
          logger.warn(
            { topic },
            'The topic was made anew: what was read again is gone, and the stream reads the new one',
          );
          await setCancelled(db, topic);
          return { answer: nextOffset };
        }
        if (plan.next < batch.fetchedFrom) return { answer: plan.next };
        const messages = batch.messages.filter(({ offset }) => offset >= plan.next && offset < plan.end);
        return {
          messages,
          undo: plan.isReport,
          record: async (read) => {
            const { parked, repaired } = read;
            const unusable = new Set(parked.map(({ position }) => position.offset));
            const used = messages.filter(({ offset }) => !unusable.has(offset));
            // What waited can be used by now.
            const isLeft = plan.isReport || this.rebuilt.isAppliedLast === true;
            const waiting = isLeft ? [] : await lockWaitingAmong(db, batch, used);
            if (waiting.length > 0) await markReplayed(db, waiting, plan.startedBy);
            await this.rebuilt.recordSeen(db, plan.id, read);
            const count = await this.rebuilt.recordRepaired(db, plan.id, repaired);
            await recordRead(db, plan.id, { partition, next: Math.max(plan.next, nextOffset), repaired: count });
            return nextOffset;
          },
        };
      },
    });
  }
}

/** @throws Problem 400 */
function refuseOption(field: string, message: string): never {
  throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The rebuild can not be started so', {
    feil: [{ felt: field, melding: message }],
  });
}
