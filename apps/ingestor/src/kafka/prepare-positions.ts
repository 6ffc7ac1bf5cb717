import { logger } from '@tiltak/platform';
import type { DataSource, EntityManager } from 'typeorm';
import { findEpoch, hasOtherEpochs } from './epochs.queries.ts';
import { noteGap } from './gaps.queries.ts';
import { STATUS_TABLES } from './status-tables.ts';
import type { PartitionExtent, TopicDescription } from './topic-admin.ts';

/** Where consumption begins. */
export interface Prepared {
  /** of the topic that the positions are on, and its id in Kafka */
  epoch: number;
  topicId: string;
  positions: Map<number, number>;
}

/** The same, and what the topic held then: of all partitions. */
interface PreparedTopic extends Prepared {
  extents: PartitionExtent[];
}

interface Stored {
  next: number;
  epoch: number;
}

/**
 * Makes sure that each partition has a stored position that exists on the topic, and returns the positions. A new
 * partition starts at the oldest message. So does one of a topic that was made anew, and one whose position the topic no
 * longer holds; what it removed before it was read is noted as a gap. The ordering rule makes it safe to read too much,
 * never too little.
 *
 * @param partitions undefined: all of them
 */
export async function preparePositions(
  dataSource: DataSource,
  topic: string,
  describe: () => Promise<TopicDescription>,
  partitions?: readonly number[],
): Promise<PreparedTopic> {
  // Before the topic is asked: a position that goes on meanwhile would seem to be beyond its end.
  const before = await readStored(dataSource.manager, topic);
  const description = await describe();
  const epoch = await enterEpoch(dataSource, topic, description, describe);
  const positions = new Map<number, number>();
  for (const extent of description.partitions) {
    const { partition } = extent;
    if (partitions && !partitions.includes(partition)) continue;
    const position = await dataSource.transaction((db) =>
      preparePartition(db, topic, { epoch, extent, known: before.get(partition) }),
    );
    positions.set(partition, position);
  }
  return { epoch, topicId: description.id, positions, extents: description.partitions };
}

/** What is stored of a topic, by partition. */
export async function readStored(db: EntityManager, topic: string): Promise<Map<number, Stored>> {
  const rows = await db.query<{ partisjon: number; neste_offset: string; epoke: number }[]>(
    'select partisjon, neste_offset, epoke from konsum_offset where topic = $1',
    [topic],
  );
  return new Map(rows.map((row) => [row.partisjon, { next: Number(row.neste_offset), epoch: row.epoke }]));
}

/** The number of this topic. @throws when the topic is made anew at this moment: it is to be asked again */
export async function enterEpoch(
  dataSource: DataSource,
  topic: string,
  { id, partitions }: TopicDescription,
  describe: () => Promise<TopicDescription>,
): Promise<number> {
  return dataSource.transaction(async (db) => {
    const { epoch, isNew } = await findEpoch(db, topic, id);
    if (!isNew) return epoch;
    // Epochs are numbered in the order in which they are noted. Who has slept since it asked must not note an old one.
    if ((await describe()).id !== id) throw new Error(`The topic ${topic} is being made anew`);
    if (await hasOtherEpochs(db, topic, id)) {
      logger.error(
        { topic, topicId: id, epoke: epoch, partisjoner: partitions.length },
        'The topic is another than before: reading it from its start',
      );
    }
    return epoch;
  });
}

async function preparePartition(
  db: EntityManager,
  topic: string,
  { epoch, extent, known }: { epoch: number; extent: PartitionExtent; known: Stored | undefined },
): Promise<number> {
  const { partition, start, end } = extent;
  await db.query(
    `insert into konsum_offset (topic, partisjon, neste_offset, epoke) values ($1, $2, $3, $4) on conflict do nothing`,
    [topic, partition, start, epoch],
  );
  const stored = await lockStored(db, topic, partition);
  if (stored.epoch > epoch) throw new Error(`The topic ${topic} has been made anew`);
  if (stored.epoch === epoch) {
    // It has gone on since, so it is on the topic.
    const isKnown = known?.epoch === epoch && known.next === stored.next;
    if (stored.next >= start && (stored.next <= end || !isKnown)) return stored.next;
    if (stored.next < start) await noteGap(db, { topic, epoch, partition, from: stored.next, to: start });
    else
      logger.error(
        { topic, partisjon: partition, posisjon: stored.next, slutt: end },
        'The topic ends before the stored position: reading it from its start',
      );
  } else {
    await leaveOldTopic(db, topic, extent, stored);
  }
  await db.query('update konsum_offset set neste_offset = $3, epoke = $4 where topic = $1 and partisjon = $2', [
    topic,
    partition,
    start,
    epoch,
  ]);
  return start;
}

async function lockStored(db: EntityManager, topic: string, partition: number): Promise<Stored> {
  const [row] = await db.query<{ neste_offset: string; epoke: number }[]>(
    'select neste_offset, epoke from konsum_offset where topic = $1 and partisjon = $2 for update',
    [topic, partition],
  );
  if (!row) throw new Error('A stored position is gone');
  return { next: Number(row.neste_offset), epoch: row.epoke };
}

/**
 * What it held is lost, as far as its end was measured. From here on the end that is stored is of the topic that is there
 * now: it may be made anew once more before it is measured.
 */
async function leaveOldTopic(
  db: EntityManager,
  topic: string,
  { partition, end }: PartitionExtent,
  { next, epoch }: Stored,
): Promise<void> {
  // Who measures holds the row, and stores nothing of an epoch that the position is not of.
  for (const table of STATUS_TABLES) {
    const [row] = await db.query<{ slutt_offset: string }[]>(
      `select slutt_offset from ${table} where topic = $1 and partisjon = $2 for update`,
      [topic, partition],
    );
    if (!row) continue;
    const reached = Number(row.slutt_offset);
    if (reached > next) await noteGap(db, { topic, epoch, partition, from: next, to: reached });
    const moved = `update ${table} set slutt_offset = $3 where topic = $1 and partisjon = $2`;
    await db.query(moved, [topic, partition, end]);
  }
}
