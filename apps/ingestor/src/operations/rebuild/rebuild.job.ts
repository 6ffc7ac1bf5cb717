import { PROBLEMS, Problem, logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import { inTransaction } from '../../database/transaction.ts';
import type { Writer } from '../../ingest/writer.ts';
import type { MessageBatch } from '../../kafka/batch.ts';
import { readEpoch } from '../../kafka/epochs.queries.ts';
import type { Topic, TopicReader } from '../../kafka/topic-reader.ts';
import { recordAction, type Actor } from '../actions.queries.ts';
import { lockWaitingAmong, markReplayed } from '../parked/parked.queries.ts';
import {
  endWhenRead,
  insertRebuild,
  lockPlan,
  passRemoved,
  readRunning,
  recordRead,
  setCancelled,
} from './rebuild.queries.ts';

/**
 * Reads the topic again from its start while the stream goes on, in a consumer group and with positions of its own.
 * What is to be done lies in the database: every ingestor joins in, and another goes on when one is killed. An operator
 * begins and cancels a rebuild; a process starts and stops taking part in whatever there is.
 */
export class Rebuild {
  private reading: { id: string; reader: TopicReader } | undefined;
  private job: BackgroundJob | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly writer: Writer,
    private readonly topic: Topic,
  ) {}

  /** @throws Problem 409 when one is running, 503 when Kafka does not answer */
  async begin(who: Actor): Promise<void> {
    const { id: topicId, partitions: extents } = await this.topic.describe();
    const epoch = await readEpoch(this.pool, this.topic.name, topicId);
    await inTransaction(this.pool, async (db) => {
      const id = await insertRebuild(db, this.topic.name, who.hvem, { epoch, extents });
      if (id === undefined) throw new Problem(PROBLEMS.KONFLIKT, 'A rebuild is running');
      await recordAction(db, who, { handling: 'START_GJENOPPBYGGING', gjelder: id, antall: null });
      await endWhenRead(db, id);
    });
  }

  /** @throws Problem 409 when none is running */
  async cancel(who: Actor): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      if (!(await setCancelled(db, this.topic.name))) throw new Problem(PROBLEMS.KONFLIKT, 'No rebuild is running');
      await recordAction(db, who, { handling: 'STOPP_GJENOPPBYGGING', gjelder: null, antall: null });
    });
  }

  start(): void {
    this.job = startJob({ name: 'gjenoppbygging', everyMs: 1_000, run: () => this.join() });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
    const { reading } = this;
    this.reading = undefined;
    await reading?.reader.close();
  }

  /** Reads along with the one that runs, and no longer with one that is over. */
  private async join(): Promise<void> {
    const topic = this.topic.name;
    const running = await readRunning(this.pool, topic);
    // Also when another has begun since: the reader of the last one may wait at the end.
    if (this.reading && this.reading.id !== running?.id) {
      const { reader } = this.reading;
      this.reading = undefined;
      await reader.close();
      logger.info({ topic }, 'A rebuild has ended');
    }
    if (running && !this.reading) {
      logger.info({ topic }, 'Reading the topic again');
      const reader = this.topic.createReader({
        purpose: 'gjenoppbygging',
        handle: (batch) => this.replay(batch),
        positions: async (description) => {
          await inTransaction(this.pool, (db) => passRemoved(db, topic, description));
          return (await readRunning(this.pool, topic))?.positions ?? new Map<number, number>();
        },
      });
      this.reading = { id: running.id, reader };
      reader.listen(() => undefined);
    }
  }

  /** As the stream, but by what is left of the plan. Answers with where to go on. */
  private replay(batch: MessageBatch): Promise<number> {
    const { topic, epoch, partition, nextOffset } = batch;
    return this.writer.write<number>({
      topic,
      epoch,
      partition,
      repair: true,
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
          record: async ({ folds, parked, repaired }) => {
            const unusable = new Set(parked.map(({ position }) => position.offset));
            const used = messages.filter(({ offset }) => !unusable.has(offset));
            // What waited can be used by now.
            const waiting = await lockWaitingAmong(db, batch, used);
            if (waiting.length > 0) await markReplayed(db, waiting, plan.startedBy);
            await recordRead(db, plan.id, {
              partition,
              next: Math.max(plan.next, nextOffset),
              repaired: repaired.length,
              avtaleIder: folds.map(({ avtaleId }) => avtaleId),
            });
            await endWhenRead(db, plan.id);
            return nextOffset;
          },
        };
      },
    });
  }
}
