import { PROBLEMS, logger, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { updateRelations, type Ingest } from '../../ingest/ingest.ts';
import { lockPosition, insertParked } from '../../ingest/avtaler.queries.ts';
import type { MessageBatch } from '../../kafka/batch.ts';
import type { TopicReader, Topic } from '../../kafka/topic-reader.ts';
import { inTransaction } from '../../database/transaction.ts';
import { recordAction, type Actor } from '../actions.queries.ts';
import {
  endWhenRead,
  lockPlan,
  readRunning,
  recordRead,
  insertRebuild,
  setStopped,
  type RebuildPlan,
} from './rebuild.queries.ts';

/**
 * Reads the topic again from its start while the stream goes on, in a consumer group and with positions of its own. What
 * is to be done lies in the database: every ingestor joins in, and another goes on when one is killed.
 */
export class Rebuild {
  private reader: { id: string; reader: TopicReader } | undefined;
  private stopped = false;
  private round: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly ingest: Ingest,
    private readonly topic: Topic,
  ) {}

  /** @throws Problem 409 when one is running, 503 when Kafka does not answer */
  async start(who: Actor): Promise<void> {
    const extent = await this.topic.extents();
    await inTransaction(this.pool, async (db) => {
      const id = await insertRebuild(db, this.topic.navn, who.hvem, extent);
      if (id === undefined) throw new Problem(PROBLEMS.KONFLIKT, 'A rebuild is running');
      await recordAction(db, who, { handling: 'START_GJENOPPBYGGING', gjelder: id, antall: null });
      await endWhenRead(db, id);
    });
  }

  /** @throws Problem 409 when none is running */
  async stop(who: Actor): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      if (!(await setStopped(db, this.topic.navn))) throw new Problem(PROBLEMS.KONFLIKT, 'No rebuild is running');
      await recordAction(db, who, { handling: 'STOPP_GJENOPPBYGGING', gjelder: null, antall: null });
    });
  }

  /** Takes part in what is to be done from now on. */
  follow(everyMs = 1_000): void {
    const next = (): void => {
      this.round = this.check()
        .catch((error: unknown) => logger.warn({ err: error }, 'Could not see whether a rebuild runs; trying again'))
        .then(() => {
          if (!this.stopped) this.timer = setTimeout(next, everyMs);
        });
    };
    next();
  }

  async end(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
    await this.reader?.reader.close();
  }

  private async check(): Promise<void> {
    const topic = this.topic.navn;
    const running = await readRunning(this.pool, topic);
    // Also when another has begun since: the reader of the last one may wait at the end.
    if (this.reader && this.reader.id !== running?.id) {
      const done = this.reader.reader;
      this.reader = undefined;
      await done.close();
      logger.info({ topic }, 'A rebuild has ended');
    }
    if (running && !this.reader) {
      logger.info({ topic }, 'Reading the topic again');
      const reader = this.topic.createReader({
        purpose: 'gjenoppbygging',
        handle: (batch) => this.replay(batch),
        positions: async () => (await readRunning(this.pool, topic))?.positions ?? new Map<number, number>(),
      });
      this.reader = { id: running.id, reader };
      reader.listen(() => undefined);
    }
  }

  /** One transaction, as for the stream, but for the position. Answers with where to go on. */
  private replay(batch: MessageBatch): Promise<number> {
    return inTransaction(this.pool, async (db) => {
      // First, as everyone who writes what a partition says.
      await lockPosition(db, batch);
      const plan = await lockPlan(db, batch.topic, batch.partition);
      if (!plan || plan.neste >= plan.end) return batch.nextOffset;
      if (plan.neste < batch.fetchedFrom) return plan.neste;
      await this.replayPlan(db, batch, plan);
      return batch.nextOffset;
    });
  }

  private async replayPlan(
    db: PoolClient,
    batch: MessageBatch,
    { id, neste: next, end: stop }: RebuildPlan,
  ): Promise<void> {
    const { partition, nextOffset } = batch;
    const messages = batch.messages.filter(({ offset }) => offset >= next && offset < stop);
    const { parts, parked } = await this.ingest.writeOrPark(db, partition, messages);
    await insertParked(db, batch, parked);
    const repaired = await this.ingest.repairFromMessages(db, partition, messages);
    const avtaleIder = parts.flatMap(({ folds: folder }) => folder.map(({ avtaleId }) => avtaleId));
    const wasRead = {
      partisjon: partition,
      neste: Math.max(next, nextOffset),
      rettet: repaired.folds.length,
      avtaleIder,
    };
    await recordRead(db, id, wasRead);
    await endWhenRead(db, id);
    await updateRelations(db, [...parts, repaired]);
  }
}
