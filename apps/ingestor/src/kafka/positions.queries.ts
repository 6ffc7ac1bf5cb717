import { logger } from '@tiltak/platform';
import type { Admin } from 'kafkajs';
import type { DataSource } from 'typeorm';

/** What the topic holds of a partition: from `start` to just before `slutt`. */
export interface PartitionExtent {
  partition: number;
  start: number;
  end: number;
}

export async function readExtents(admin: Admin, topic: string): Promise<PartitionExtent[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({ partition: partition, start: Number(low), end: Number(high) }));
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
 * Makes sure that each partition has a stored position that exists on the topic, and returns the positions.
 * A new partition starts at the oldest message. So does one whose position the topic no longer holds, because the topic
 * was recreated or old messages were removed: the ordering rule makes it safe to read too much, never too little.
 */
export async function preparePositions(
  dataSource: DataSource,
  admin: Admin,
  topic: string,
  partitions: number[],
): Promise<Map<number, number>> {
  const extent = (await readExtents(admin, topic)).filter(({ partition }) => partitions.includes(partition));
  const stored = await readPositions(dataSource, topic);
  for (const { partition, start, end } of extent) {
    const position = stored.get(partition);
    if (position !== undefined && position >= start && position <= end) continue;
    if (position !== undefined) {
      logger.error(
        { topic, partition, posisjon: position, start, end },
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
