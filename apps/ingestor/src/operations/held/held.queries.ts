import { fingerprint } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';

/** Why a parked message is a whole batch: its bytes are not a message's, but a batch of records as Kafka keeps it. */
export const UNDECODABLE = 'UDEKODBAR';

export interface HeldRow {
  id: string;
  topic: string;
  epoke: number;
  partisjon: number;
  fraOffset: string;
  tilOffset: string;
  aarsak: string;
  byte: number;
  stanset: Date;
  forsoekt: Date;
}

const COLUMNS = `id, topic, epoke, partisjon, fra_offset as "fraOffset", til_offset as "tilOffset", aarsak,
  octet_length(innhold) as byte, stanset, forsoekt`;

/** Of partitions that stand still now: what the position is past by now is as good as gone. */
export async function listHeld(db: Pool): Promise<HeldRow[]> {
  const { rows } = await db.query<HeldRow>(
    `select ${COLUMNS} from stanset_partisjon s
     where not exists (select from konsum_offset o
       where o.topic = s.topic and o.partisjon = s.partisjon
         and (o.epoke > s.epoke or o.neste_offset > s.til_offset))
     order by topic, partisjon`,
  );
  return rows;
}

export async function readHeld(db: Pool, id: string): Promise<HeldRow | undefined> {
  const { rows } = await db.query<HeldRow>(`select ${COLUMNS} from stanset_partisjon where id = $1`, [id]);
  return rows[0];
}

/** Takes it out, when it is still there. */
export async function takeHeld(db: PoolClient, id: string): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ innhold: Buffer }>(
    'delete from stanset_partisjon where id = $1 returning innhold',
    [id],
  );
  return rows[0]?.innhold;
}

/** At the place of the first of its records that has not been read; the reason tells of the others. @returns its id */
export async function insertParkedBatch(db: PoolClient, held: HeldRow, content: Buffer): Promise<string> {
  const { topic, epoke: epoch, partisjon: partition, fraOffset: first, tilOffset: last, aarsak: reason } = held;
  const { rows } = await db.query<{ id: string }>(
    `insert into parkert_melding (topic, partisjon, kafka_offset, verdi, avtrykk, kode, aarsak, epoke)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (topic, epoke, partisjon, kafka_offset, avtrykk) do update set aarsak = excluded.aarsak returning id`,
    [
      topic,
      partition,
      first,
      content,
      fingerprint('', '\0', content),
      UNDECODABLE,
      `offsets ${first} to ${last}: ${reason}`,
      epoch,
    ],
  );
  return rows[0]?.id ?? '';
}
