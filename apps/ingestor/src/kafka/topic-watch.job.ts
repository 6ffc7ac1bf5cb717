import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { metrics } from '../metrics.ts';
import { closeGaps, countGaps, forgetPartitions, readMadeAnewAt, type WatchedTopic } from './gaps.queries.ts';
import { preparePositions, readStored } from './prepare-positions.ts';
import type { TopicDescription } from './topic-admin.ts';

/**
 * Notices what no message tells of: that a topic is another, also when it is empty, and that it has removed what was not
 * read, also when nothing comes after that. A consumer notices both when it reads on. Every ingestor does this, for all
 * partitions; what they notice, they note once.
 */
export class TopicWatch {
  /** positions that were before the start of their partition in the round before this one, by topic and partition */
  private readonly behind = new Map<string, number>();
  private job: BackgroundJob | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly topics: readonly WatchedTopic[],
    private readonly describe: (topic: string) => Promise<TopicDescription>,
  ) {}

  start(): void {
    this.job = startJob({ name: 'topic', everyMs: 5_000, run: () => this.round() });
  }

  async stop(): Promise<void> {
    // Kafka may be away, and is waited for in there.
    await this.job?.stop(1_000);
  }

  /** One look at each topic. */
  async round(): Promise<void> {
    for (const watched of this.topics) {
      const { topic } = watched;
      await this.look(topic);
      const closed = await closeGaps(this.dataSource.manager, watched);
      if (closed > 0) logger.info({ topic, hull: closed }, 'What was lost has been made up for');
    }
    for (const { topic } of this.topics) await this.show(topic);
  }

  private async look(topic: string): Promise<void> {
    const stored = await readStored(this.dataSource.manager, topic);
    const { epoch, extents } = await preparePositions(this.dataSource, topic, () => this.describe(topic), []);
    const wanting = extents.filter(({ partition, start }) => {
      const known = stored.get(partition);
      if (known?.epoch !== epoch) return true;
      return this.isLeftBehind(`${topic} ${String(partition)}`, known.next, start);
    });
    if (wanting.length > 0) {
      const partitions = wanting.map(({ partition }) => partition);
      await preparePositions(this.dataSource, topic, () => this.describe(topic), partitions);
    }
    await this.dataSource.transaction((db) => forgetPartitions(db, topic, { epoch, count: extents.length }));
  }

  /** Once more: a consumer may have a batch from there in its hands, and store it. */
  private isLeftBehind(name: string, next: number, start: number): boolean {
    const isStill = this.behind.get(name) === next;
    this.behind.delete(name);
    if (next >= start) return false;
    this.behind.set(name, next);
    return isStill;
  }

  private async show(topic: string): Promise<void> {
    const gaps = await countGaps(this.dataSource.manager, topic);
    for (const [partition, count] of gaps) metrics.gaps.set({ topic, partisjon: partition }, count);
    metrics.topicMadeAnewAt.set({ topic }, await readMadeAnewAt(this.dataSource.manager, topic));
  }
}
