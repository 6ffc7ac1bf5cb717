import { logg } from '@tiltak/platform';
import type { Admin } from 'kafkajs';
import type { DataSource } from 'typeorm';

/** What the topic holds of a partition: from `start` to just before `slutt`. */
export interface Utstrekning {
  partisjon: number;
  start: number;
  slutt: number;
}

export async function lesUtstrekning(admin: Admin, topic: string): Promise<Utstrekning[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({ partisjon: partition, start: Number(low), slutt: Number(high) }));
}

/** The stored positions of a topic, by partition. */
export async function lesPosisjoner(datakilde: DataSource, topic: string): Promise<Map<number, number>> {
  const rader = await datakilde.query<{ partisjon: number; neste_offset: string }[]>(
    'select partisjon, neste_offset from konsum_offset where topic = $1',
    [topic],
  );
  return new Map(rader.map((rad) => [rad.partisjon, Number(rad.neste_offset)]));
}

/**
 * Makes sure that each partition has a stored position that exists on the topic, and returns the positions.
 * A new partition starts at the oldest message. So does one whose position the topic no longer holds, because the topic
 * was recreated or old messages were removed: the ordering rule makes it safe to read too much, never too little.
 */
export async function klargjorPosisjoner(
  datakilde: DataSource,
  admin: Admin,
  topic: string,
  partisjoner: number[],
): Promise<Map<number, number>> {
  const utstrekning = (await lesUtstrekning(admin, topic)).filter(({ partisjon }) => partisjoner.includes(partisjon));
  const lagret = await lesPosisjoner(datakilde, topic);
  for (const { partisjon, start, slutt } of utstrekning) {
    const posisjon = lagret.get(partisjon);
    if (posisjon !== undefined && posisjon >= start && posisjon <= slutt) continue;
    if (posisjon !== undefined) {
      logg.error(
        { topic, partisjon, posisjon, start, slutt },
        'The stored position is not on the topic: reading from its start. If messages were removed, reconcile with the source',
      );
    }
    await datakilde.query(
      `insert into konsum_offset (topic, partisjon, neste_offset) values ($1, $2, $3)
       on conflict (topic, partisjon) do update set neste_offset = excluded.neste_offset
       where konsum_offset.neste_offset is not distinct from $4`,
      [topic, partisjon, start, posisjon ?? null],
    );
  }
  return lesPosisjoner(datakilde, topic);
}
