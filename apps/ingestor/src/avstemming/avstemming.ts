import { setTimeout as wait } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { MESSAGES_IN_PIECE, type GiveWay } from '../background/give-way.ts';
import { copyRows } from '../database/copy.ts';
import { recordAction, type Actor } from '../operations/actions.queries.ts';
import { isCaughtUp } from '../kafka/positions.queries.ts';
import type { TopicDescription } from '../kafka/topic-admin.ts';
import { readTopicOnce, type Topic } from '../kafka/topic-reader.ts';
import { metrics } from '../metrics.ts';
import {
  pruneReports,
  unlock,
  readReport,
  listReports,
  insertReport,
  compare,
  tryLock,
  DIFFERENCE_TYPES,
  type FreshnessRule,
  type SourceType,
  type AvstemmingReport,
} from './avstemming.queries.ts';
import { readList } from './source-list.ts';
import { foldIntoTopicState } from './topic-state.ts';

export interface AvstemmingOptions {
  /** lines that a list may have */
  maxLines: number;
  /** changes this much before the comparison need not have come yet */
  deadlineSeconds: number;
  /** how long to wait for the stream to catch up, ms */
  waitMs?: (() => number) | undefined;
}

const LINES_IN_PIECE = { first: 2_000, least: 200, most: 5_000 };

/** Compares what is stored with what the source has: its own list, or what it has published. Changes nothing. */
export class Avstemming {
  constructor(
    private readonly pool: Pool,
    private readonly topic: Topic,
    private readonly giveWay: GiveWay,
    private readonly options: AvstemmingOptions,
  ) {}

  /**
   * @param per when the source made the list; undefined: now
   * @throws Problem 400 for a bad line, 409 when one is running, 413, 503 when Kafka is away or the stream lies behind
   */
  withList(stream: Readable, per: Date | undefined, who: Actor): Promise<AvstemmingReport> {
    const freshness = { per: per ?? new Date(), deadlineSeconds: this.options.deadlineSeconds, learntAfter: per };
    return this.compareWith('LISTE', freshness, who, async (db) => {
      await db.query('select klargjoer_avstemming()');
      const pieces = this.giveWay.inPieces(LINES_IN_PIECE);
      // Bit by bit, each committed: readers of the change feed wait for every transaction that is open.
      for await (const rows of readList(stream, this.options.maxLines)) {
        await pieces.each(rows, (some) => copyRows(db, 'pg_temp.hos_kilden (avtale_id, sist_endret)', some));
      }
      return this.topic.describe();
    });
  }

  /** With all that the topic holds. @throws Problem 409, 503 */
  withTopic(who: Actor): Promise<AvstemmingReport> {
    const freshness = { per: new Date(), deadlineSeconds: undefined, learntAfter: undefined };
    return this.compareWith('TOPIC', freshness, who, async (db, described) => {
      await db.query('select klargjoer_avstemming()');
      const pieces = this.giveWay.inPieces(MESSAGES_IN_PIECE);
      await readTopicOnce(this.topic, described, (batch) =>
        pieces.each(batch.messages, (messages) => foldIntoTopicState(db, { ...batch, messages })),
      );
      await db.query(
        'insert into pg_temp.hos_kilden select avtale_id, sist_endret from pg_temp.topicstand where slettet is null',
      );
      return described;
    });
  }

  /** Shows the last report in the metrics, also after a restart. */
  async showLast(): Promise<void> {
    const [last] = await listReports(this.pool, undefined, 1);
    if (last) showInMetrics(last);
  }

  /** @param fill fills the temporary table `hos_kilden`, and answers with what of the topic must be stored before it can be compared */
  private compareWith(
    source: SourceType,
    freshness: Omit<FreshnessRule, 'topic' | 'ends'>,
    who: Actor,
    fill: (db: PoolClient, described: TopicDescription) => Promise<TopicDescription>,
  ): Promise<AvstemmingReport> {
    return oneAtATime(this.pool, async (db) => {
      const described = await this.topic.describe();
      await this.waitForStream(db, await fill(db, described));
      await db.query('begin');
      const { id, antall: count } = await insertReport(db, { kilde: source, per: freshness.per, startetAv: who.hvem });
      await compare(db, id, { ...freshness, topic: this.topic.name, ends: described.partitions });
      await pruneReports(db);
      await recordAction(db, who, { handling: 'AVSTEM', gjelder: id, antall: count });
      await db.query('commit');
      const report = await readReport(this.pool, id);
      if (!report) throw new Error('The report that was just written is gone');
      showInMetrics(report);
      return report;
    });
  }

  /** What may be read of the topic by now, and is not stored yet, would look as if it was missing. */
  private async waitForStream(db: PoolClient, ends: TopicDescription): Promise<void> {
    const deadline = Date.now() + (this.options.waitMs?.() ?? 60_000);
    while (!(await isCaughtUp(db, this.topic.name, ends, 'stableEnd'))) {
      if (Date.now() > deadline) {
        throw new Problem(PROBLEMS.UTILGJENGELIG, 'The stream lies behind; reconcile when it has caught up', {
          retryAfter: 60,
        });
      }
      await wait(100);
    }
  }
}

/** @throws Problem 409 */
export async function oneAtATime<T>(pool: Pool, work: (db: PoolClient) => Promise<T>): Promise<T> {
  const db = await pool.connect();
  try {
    if (!(await tryLock(db))) throw new Problem(PROBLEMS.KONFLIKT, 'A reconciliation is running');
    try {
      return await work(db);
    } finally {
      // The end of a connection takes its time, and the next one may be asked for at once, also when this one failed.
      await unlock(db).catch(() => undefined);
    }
  } finally {
    // What is temporary goes with the connection, and so does the lock of one that answers no more.
    db.release(true);
  }
}

export function showInMetrics({ differanser: differences, avsluttet: ended }: AvstemmingReport): void {
  for (const type of DIFFERENCE_TYPES) {
    const { antall: count = 0, rettet: repaired = 0 } =
      differences.find((difference) => difference.type === type) ?? {};
    metrics.avstemmingDifferences.set({ type }, count - repaired);
  }
  metrics.avstemmingEndedAt.set(ended.getTime() / 1_000);
}
