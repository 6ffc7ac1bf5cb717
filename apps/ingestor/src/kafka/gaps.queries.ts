import { logger } from '@tiltak/platform';
import type { EntityManager } from 'typeorm';

interface Gap {
  topic: string;
  epoch: number;
  partition: number;
  from: number;
  /** the first that is not lost */
  to: number;
}

/** In the transaction that passes it by: from then on nobody can tell that anything is missing. */
export async function noteGap(db: EntityManager, { topic, epoch, partition, from, to }: Gap): Promise<void> {
  await db.query(
    `insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset, oppdatert_til)
     select $1, $2, $3, $4, $5, (select oppdatert_til from konsum_status where topic = $1 and partisjon = $3)`,
    [topic, epoch, partition, from, to],
  );
  logger.error(
    { topic, partisjon: partition, fra: from, til: to },
    "Messages are lost: the topic removed them before they were read. Reconcile with the source's list",
  );
}

/**
 * Closes the gaps of the topic that a reconciliation has made up for, and answers with how many were closed. That is one
 * against the source's own list, made since the gap was found, all of whose differences are gone: each avtale that it
 * found missing or outdated is stored as new as the list had it, each that the source does not have is deleted or has
 * changed since. One that the source changed after the gap was found comes by itself.
 */
export async function closeGaps(db: EntityManager, topic: string): Promise<number> {
  const [, closed] = await db.query<[unknown, number]>(
    `update konsum_hull h set lukket = clock_timestamp(), lukket_av = 'avstemming ' || r.id
     from (
       select h.id as hull, (
         select max(r.id) from avstemming r where r.kilde = 'LISTE' and r.per >= h.oppdaget and not exists (
           select from avstemming_differanse d left join avtale a using (avtale_id)
           where d.avstemming = r.id and d.type <> 'NYERE'
             and not (d.fersk and coalesce(d.sist_endret_hos_kilden, d.sist_endret_her) > h.oppdaget)
             and case when d.type = 'FREMMED'
               then a.slettet is null
                 and (a.kilde_epoke, a.kilde_partisjon, a.kilde_offset) = (d.epoke, d.partisjon, d.kafka_offset)
               else not coalesce(a.sist_endret >= d.sist_endret_hos_kilden
                 and (a.slettet is distinct from 'GRAVSTEIN' or a.mottatt > r.avsluttet), false) end)
       ) as id
       from konsum_hull h where h.topic = $1 and h.lukket is null
     ) r
     where h.id = r.hull and r.id is not null and h.lukket is null`,
    [topic],
  );
  return closed;
}

/** Partitions that the topic no longer has, as when it was made anew with fewer: nothing more comes to them. */
export async function forgetPartitions(db: EntityManager, topic: string, count: number): Promise<void> {
  for (const table of ['konsum_offset', 'konsum_status']) {
    await db.query(
      `delete from ${table} t where topic = $1 and partisjon >= $2 and not exists
         (select from konsum_hull h where h.topic = t.topic and h.partisjon = t.partisjon and h.lukket is null)`,
      [topic, count],
    );
  }
}

/** Open gaps, by each partition that has ever had one. */
export async function countGaps(db: EntityManager, topic: string): Promise<Map<number, number>> {
  const rows = await db.query<{ partisjon: number; antall: number }[]>(
    `select partisjon, (count(*) filter (where lukket is null))::int as antall from konsum_hull
     where topic = $1 group by partisjon`,
    [topic],
  );
  return new Map(rows.map((row) => [row.partisjon, row.antall]));
}

/** When the topic was first seen that has the name now, if it was another before; seconds since 1970, else 0. */
export async function readMadeAnewAt(db: EntityManager, topic: string): Promise<number> {
  const [row] = await db.query<{ first_seen: number }[]>(
    `select case when count(*) > 1 then extract(epoch from max(foerst_sett)) else 0 end::float8 as first_seen
     from topic_epoke where topic = $1`,
    [topic],
  );
  return row?.first_seen ?? 0;
}
