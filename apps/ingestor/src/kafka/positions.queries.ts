import type { Pool, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { Db } from '../database/db.ts';
import type { TopicDescription } from './topic-admin.ts';

/** A partition of a topic. */
export interface TopicPartition {
  topic: string;
  /** of the topic: one that is made anew is the next, see `epochs.queries.ts` */
  epoch: number;
  partition: number;
}

/**
 * Where consumption of the partition goes on, and a lock on that until the transaction ends: two ingestors that both
 * believe they own the partition, as during a rebalance, take turns, and the second sees what the first has done.
 * Undefined when the partition has not been prepared (see `preparePositions`), or when the position is of another topic
 * of this name: then what was read of this one is not to be stored.
 */
export async function lockPosition(db: Db, { topic, epoch, partition }: TopicPartition): Promise<number | undefined> {
  const { rows } = await db.query<{ neste_offset: string; epoke: number }>({
    name: 'laas_posisjon',
    text: 'select neste_offset, epoke from konsum_offset where topic = $1 and partisjon = $2 for update',
    values: [topic, partition],
  });
  return rows[0]?.epoke === epoch ? Number(rows[0].neste_offset) : undefined;
}

/** Of all partitions, in the order in which everybody locks them: nobody stores anything of the topic meanwhile. */
export async function lockPositions(db: Db, topic: string): Promise<void> {
  await db.query('select from konsum_offset where topic = $1 order by partisjon for update', [topic]);
}

/** In the transaction that stores what lies before it. The position must be locked. */
export async function setPosition(
  db: Db,
  { topic, partition }: Omit<TopicPartition, 'epoch'>,
  next: number,
): Promise<void> {
  await db.query({
    name: 'sett_posisjon',
    text: 'update konsum_offset set neste_offset = $3 where topic = $1 and partisjon = $2',
    values: [topic, partition, next],
  });
}

/**
 * The stored positions of a topic, by partition: those on the topic that has this id in Kafka. What is stored of another
 * of the same name says nothing of it.
 */
export async function readPositions(
  dataSource: DataSource,
  topic: string,
  topicId: string,
): Promise<Map<number, number>> {
  const rows = await dataSource.query<{ partisjon: number; neste_offset: string }[]>(
    `select o.partisjon, o.neste_offset from ${positionsTable('$1')} o
     join topic_epoke e on e.topic = $1 and e.epoke = o.epoke where e.topic_id = $2`,
    [topic, topicId],
  );
  return new Map(rows.map((row) => [row.partisjon, Number(row.neste_offset)]));
}

/**
 * The stored positions as a table (partisjon, neste_offset, epoke), for a statement that needs them in its own snapshot.
 *
 * @param topic the statement's parameter that names the topic, such as `$1`
 */
export function positionsTable(topic: `$${number}`): string {
  return `(select partisjon, neste_offset, epoke from konsum_offset where topic = ${topic})`;
}

/**
 * Whether the stream has come to these ends: what the topic held before them is stored.
 *
 * @param until all that is acknowledged, or what a consumer may read by now: it passes no transaction that is open
 */
export async function isCaughtUp(
  db: Pool | PoolClient,
  topic: string,
  { id, partitions }: TopicDescription,
  until: 'end' | 'stableEnd',
): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from unnest($2::int[], $3::bigint[]) as topic(partisjon, slutt)
     left join (select o.partisjon, o.neste_offset from ${positionsTable('$1')} o
       join topic_epoke e on e.topic = $1 and e.epoke = o.epoke where e.topic_id = $4) lest using (partisjon)
     where topic.slutt > coalesce(lest.neste_offset, 0) limit 1`,
    [topic, partitions.map(({ partition }) => partition), partitions.map((extent) => extent[until]), id],
  );
  return rowCount === 0;
}
