import type { DataSource } from 'typeorm';
import type { TopicPartition } from './positions.queries.ts';
import type { UndecodableBatch } from './record-set.ts';

/**
 * Notes the batch that keeps a partition from getting on, unless the stored position is past it. The same batch keeps
 * its id, so that what somebody has looked at is what they park.
 *
 * @returns the stored position; undefined when it is of another topic of this name
 */
export async function stallPartition(
  dataSource: DataSource,
  { topic, epoch, partition }: TopicPartition,
  { first, last, reason, bytes }: UndecodableBatch,
): Promise<number | undefined> {
  const key = [topic, partition];
  await dataSource.query(
    'delete from stanset_partisjon where topic = $1 and partisjon = $2 and (epoke <> $3 or til_offset <> $4)',
    [...key, epoch, last],
  );
  const rows = await dataSource.query<{ position: string }[]>(
    `with posisjon as (
       select neste_offset from konsum_offset where topic = $1 and partisjon = $2 and epoke = $7),
     stanset as (
       insert into stanset_partisjon (topic, partisjon, fra_offset, til_offset, aarsak, innhold, epoke)
       select $1, $2, $3, $4, $5, $6, $7 from posisjon where neste_offset <= $4
       on conflict (topic, partisjon) do update set
         forsoekt = now(), aarsak = excluded.aarsak, innhold = excluded.innhold)
     select neste_offset as position from posisjon`,
    [...key, first, last, reason, bytes, epoch],
  );
  return rows[0] && Number(rows[0].position);
}

/** Of what the stored positions are past by now: their bytes are of no more use. */
export async function deletePassedHolds(dataSource: DataSource, topic: string): Promise<void> {
  await dataSource.query(
    `delete from stanset_partisjon s using konsum_offset o
     where s.topic = $1 and o.topic = s.topic and o.partisjon = s.partisjon
       and (o.epoke > s.epoke or o.neste_offset > s.til_offset)`,
    [topic],
  );
}
