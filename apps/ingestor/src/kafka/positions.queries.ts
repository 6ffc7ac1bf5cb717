import { logger } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { PartitionExtent } from './topic-admin.ts';

/** A partition of a topic. */
export interface TopicPartition {
  topic: string;
  partition: number;
}

/**
 * Where consumption of the partition goes on, and a lock on that until the transaction ends: two ingestors that both
 * believe they own the partition, as during a rebalance, take turns, and the second sees what the first has done.
 * Undefined when the partition has not been prepared (see `preparePositions`).
 */
export async function lockPosition(db: PoolClient, { topic, partition }: TopicPartition): Promise<number | undefined> {
  const { rows } = await db.query<{ neste_offset: string }>({
    name: 'laas_posisjon',
    text: 'select neste_offset from konsum_offset where topic = $1 and partisjon = $2 for update',
    values: [topic, partition],
  });
  return rows[0] && Number(rows[0].neste_offset);
}

/** In the transaction that stores what lies before it. The position must be locked. */
export async function setPosition(db: PoolClient, { topic, partition }: TopicPartition, next: number): Promise<void> {
  await db.query({
    name: 'sett_posisjon',
    text: 'update konsum_offset set neste_offset = $3 where topic = $1 and partisjon = $2',
    values: [topic, partition, next],
  });
}

/** The stored positions of a topic, by partition. */
export async function readPositions(dataSource: DataSource, topic: string): Promise<Map<number, number>> {
  const rows = await dataSource.query<{ partisjon: number; neste_offset: string }[]>(
    'select partisjon, neste_offset from konsum_offset where topic = $1',
    [topic],
  );
  return new Map(rows.map((row) => [row.partisjon, Number(row.neste_offset)]));
}

/**
 * The stored positions as a table (partisjon, neste_offset), for a statement that needs them in its own snapshot.
 *
 * @param topic the statement's parameter that names the topic, such as `$1`
 */
export function positionsTable(topic: `$${number}`): string {
  return `(select partisjon, neste_offset from konsum_offset where topic = ${topic})`;
}

/** Whether the stream has come to these ends: what the topic held before them is stored. */
export async function isCaughtUp(
  db: Pool | PoolClient,
  topic: string,
  ends: readonly Pick<PartitionExtent, 'partition' | 'end'>[],
): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from unnest($2::int[], $3::bigint[]) as topic(partisjon, slutt)
     left join ${positionsTable('$1')} lest using (partisjon)
     where topic.slutt > coalesce(lest.neste_offset, 0) limit 1`,
    [topic, ends.map(({ partition }) => partition), ends.map(({ end }) => end)],
  );
  return rowCount === 0;
}

/**
 * Makes sure that each partition has a stored position that exists on the topic, and returns the positions.
 * A new partition starts at the oldest message. So does one whose position the topic no longer holds, because the topic
 * was recreated or old messages were removed: the ordering rule makes it safe to read too much, never too little.
 */
export async function preparePositions(
  dataSource: DataSource,
  topic: string,
  extents: readonly PartitionExtent[],
): Promise<Map<number, number>> {
  const stored = await readPositions(dataSource, topic);
  for (const { partition, start, end } of extents) {
    const position = stored.get(partition);
    if (position !== undefined && position >= start && position <= end) continue;
    if (position !== undefined) {
      logger.error(
        { topic, partisjon: partition, posisjon: position, start, slutt: end },
        'The stored position is not on the topic: reading from its start. If messages were removed, reconcile with the source',
      );
    }
    await dataSource.query(
      `insert into konsum_offset (topic, partisjon, neste_offset) values ($1, $2, $3)
       on conflict (topic, partisjon) do update set neste_offset = excluded.neste_offset
       where konsum_offset.neste_offset is not distinct from $4`,
      [topic, partition, start, position ?? null],
    );
  }
  return readPositions(dataSource, topic);
}
