import { setTimeout as wait } from 'node:timers/promises';
import { createPool } from '@tiltak/database';
import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import type { Config } from '../config.ts';
import { databaseOptionsFrom } from '../database/connect.ts';
import type { Publisher } from '../kafka/publisher.ts';
import { metrics } from '../metrics.ts';
import { sourceOf, toEvent, toMessage } from './trigger-event.ts';
import {
  hasLines,
  insertPosition,
  movePosition,
  readPage,
  readState,
  tryLock,
  unlock,
  type TriggerPage,
  type TriggerState,
} from './trigger.queries.ts';

const EVERY_MS = 200;
const MEASURE_EVERY_MS = 5_000;
/** As many as are published before the position is stored. */
const LINES = 1_000;
/**
 * To publish a line takes about as much as to store a message, and when there is a backlog, storing has one too: after a
 * page this many times what it took is left to that. With what a page takes, that is a thousand lines or more a second.
 */
const PAUSE_TIMES = 9;
const MAX_PAUSE_MS = 2_000;

/**
 * Tells of each line of the change feed on a topic, in the order of the feed. Any ingestor may do it, one at a time:
 * whoever has the lock reads from the stored position, publishes, and then moves it. One that is killed in between has
 * told of lines that the next one tells of again, with the same ids. One that only seems to be gone does so too: what it
 * still has under way begins where the other began, and comes in the same order.
 */
export class Trigger {
  /** Connections of its own: one is held while Kafka answers, and the stream must not wait for it. */
  readonly pool: Pool;
  private readonly source: string;
  private jobs: BackgroundJob[] = [];
  private isPositioned = false;

  constructor(
    config: Config,
    private readonly publisher: Publisher,
  ) {
    this.pool = createPool({ ...databaseOptionsFrom(config), poolSize: 2 });
    this.source = sourceOf(config.ORGANISASJON);
  }

  start(): void {
    this.jobs = [
      startJob({ name: 'trigger', everyMs: EVERY_MS, run: (signal) => this.round(signal) }),
      startJob({ name: 'triggermaaling', everyMs: MEASURE_EVERY_MS, run: () => this.measure() }),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.jobs.map((job) => job.stop()));
    await this.publisher.stop();
    await this.pool.end();
  }

  /** Publishes what there is, unless another ingestor does. */
  async round(signal?: AbortSignal): Promise<void> {
    if (!this.isPositioned) await this.position();
    while (!signal?.aborted) {
      const begun = performance.now();
      const more = await hasLines(this.pool, this.publisher.topic);
      if (more === undefined) await this.position();
      if (!more || !(await this.publishSome())) return;
      const pause = Math.min((performance.now() - begun) * PAUSE_TIMES, MAX_PAUSE_MS);
      await wait(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Shows how far behind the topic is, whoever publishes. */
  async measure(): Promise<void> {
    if (!this.isPositioned) await this.position();
    const state = (await readState(this.pool, this.publisher.topic)) ?? (await this.stateAnew());
    metrics.triggerAge.set(state.age);
    metrics.triggerGap.set(state.gapAt);
  }

  private async stateAnew(): Promise<TriggerState> {
    await this.position();
    const state = await readState(this.pool, this.publisher.topic);
    if (!state) throw new Error('The position of the trigger topic is gone as soon as it is made');
    return state;
  }

  /** Also when it is gone while this process runs: without one nothing would be told of, and nobody would know. */
  private async position(): Promise<void> {
    const { topic } = this.publisher;
    const isLost = this.isPositioned;
    const isNew = await insertPosition(this.pool, topic, isLost);
    this.isPositioned = true;
    if (isNew && isLost)
      logger.error(
        { topic },
        'The position of the trigger topic is gone: it goes on from now, and changes may be left out',
      );
  }

  /** @returns whether there may be more for this process */
  private async publishSome(): Promise<boolean> {
    const db = await this.pool.connect();
    try {
      const locked = await tryLock(db);
      const more = locked && (await this.publishPage(db));
      if (locked) await unlock(db);
      db.release();
      return more;
    } catch (error) {
      // The lock goes with the connection.
      db.release(true);
      throw error;
    }
  }

  private async publishPage(db: PoolClient): Promise<boolean> {
    const { topic } = this.publisher;
    const page = await readPage(db, topic, LINES);
    const { lines, epoch, stored } = page;
    const last = lines.at(-1);
    if (!last) return false;
    warn(page, topic);
    await this.publisher.publish(lines.map((line) => toMessage(toEvent(line, epoch, this.source))));
    const { tx, sequenceNumber } = last;
    if (!(await movePosition(db, topic, { from: stored, to: { epoch, tx, sequenceNumber }, hasGap: page.hasGap }))) {
      logger.warn({ topic }, 'Another ingestor published triggers at the same time: some are there twice');
      return false;
    }
    for (const { type } of lines) metrics.triggers.inc({ type });
    return lines.length === LINES;
  }
}

function warn({ stored, epoch, hasGap }: TriggerPage, topic: string): void {
  if (stored.epoch !== epoch) {
    logger.warn({ topic }, 'The change feed has a new epoch: triggers from before it may tell of what is not there');
  }
  if (hasGap) {
    logger.error({ topic }, 'The change feed was trimmed beyond the trigger topic: changes were never told of on it');
  }
}
