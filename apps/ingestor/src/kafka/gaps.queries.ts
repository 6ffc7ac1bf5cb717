import { logger } from '@tiltak/platform';
import type { EntityManager } from 'typeorm';
import { STATUS_TABLES } from './status-tables.ts';

interface Gap {
  topic: string;
  epoch: number;
  partition: number;
  from: number;
  /** the first that is not lost */
  to: number;
}

const UPDATED_TO = STATUS_TABLES.map(
  (table) => `select oppdatert_til from ${table} where topic = $1 and partisjon = $3`,
).join(' union all ');

/** In the transaction that passes it by: from then on nobody can tell that anything is missing. */
export async function noteGap(db: EntityManager, { topic, epoch, partition, from, to }: Gap): Promise<void> {
  await db.query(
    `insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset, oppdatert_til)
     select $1, $2, $3, $4, $5, (${UPDATED_TO})`,
    [topic, epoch, partition, from, to],
  );
  logger.error(
    { topic, partisjon: partition, fra: from, til: to },
    "Messages are lost: the topic removed them before they were read. Reconcile with the source's list",
  );
}

/**
 * A reconciliation against the source's own list, made since the gap was found, all of whose differences are gone: each
 * avtale that it found missing or outdated is stored as new as the list had it, each that the source does not have is
 * deleted or has changed since. One that the source changed after the gap was found comes by itself.
 */
const LIST = `
  select 'avstemming ' || max(r.id) from avstemming r
  where $2 = 'avtaler' and r.kilde = 'LISTE' and r.per >= h.oppdaget and not exists (
    select from avstemming_differanse d left join avtale a using (avtale_id)
    where d.avstemming = r.id and d.type <> 'NYERE'
      and not (d.fersk and coalesce(d.sist_endret_hos_kilden, d.sist_endret_her) > h.oppdaget)
      and case when d.type = 'FREMMED'
        then a.slettet is null
          and (a.kilde_epoke, a.kilde_partisjon, a.kilde_offset) = (d.epoke, d.partisjon, d.kafka_offset)
        else not coalesce(a.sist_endret >= d.sist_endret_hos_kilden
          and (a.slettet is distinct from 'GRAVSTEIN' or a.mottatt > r.avsluttet), false) end)`;

/**
 * An adapter's full sync, begun since the gap was found: what it did not hold is deleted, and each entry that it held is
 * stored as new as it had it. Not when one could not be stored, or when they have not been counted yet.
 */
const FULL_SYNC = `
  select 'full synk ' || max(s.synk_id) from synk s
  where s.ressurs = $2 and s.type = 'FULL' and coalesce(s.ressurstilstand, s.tilstand) = 'FULLFOERT'
    and s.startet >= h.oppdaget and not exists (
      select from synk_side p where p.synk_id = s.synk_id and (p.parkert is null or p.parkert > 0))`;

/**
 * A rebuild of a resource, or of the person register, begun since the gap was found by somebody who said that the source
 * has published all of it again: what is stored is what the topic tells. Of what the topic lost, the topic itself tells
 * nothing.
 */
const REBUILD = `
  select 'gjenoppbygging ' || max(g.id) from gjenoppbygging g
  where g.topic = $1 and g.tilstand = 'FERDIG' and g.lukker_hull and g.startet >= h.oppdaget`;

/** A topic, and what it brings. */
export interface WatchedTopic {
  topic: string;
  resource: string;
}

/** Closes the gaps of the topic that have been made up for, and answers with how many were closed. */
export async function closeGaps(db: EntityManager, { topic, resource }: WatchedTopic): Promise<number> {
  const [, closed] = await db.query<[unknown, number]>(
    `update konsum_hull h set lukket = clock_timestamp(), lukket_av = r.av
     from (
       select h.id as hull, coalesce((${LIST}), (${FULL_SYNC}), (${REBUILD})) as av
       from konsum_hull h where h.topic = $1 and h.lukket is null
     ) r
     where h.id = r.hull and r.av is not null and h.lukket is null`,
    [topic, resource],
  );
  return closed;
}

/**
 * Partitions that the topic does not have, as when it was made anew with fewer: nothing more comes to them. What was left
 * of one is noted as a gap first, as far as its end was measured; one with an open gap is kept until that is closed.
 *
 * @param db in a transaction
 * @param topic a later topic of the same name may have more partitions: what is of that one stays
 */
export async function forgetPartitions(
  db: EntityManager,
  topic: string,
  { epoch, count }: { epoch: number; count: number },
): Promise<void> {
  const left = await readLeft(db, topic, { epoch, count });
  for (const { partisjon: partition, epoke, fra: from, til: to } of left) {
    if (to <= from) continue;
    await noteGap(db, { topic, epoch: epoke, partition, from, to });
    await db.query('update konsum_offset set neste_offset = $3 where topic = $1 and partisjon = $2', [
      topic,
      partition,
      to,
    ]);
  }
  const hasNoGap = `not exists
    (select from konsum_hull h where h.topic = t.topic and h.partisjon = t.partisjon and h.lukket is null)`;
  await db.query(`delete from konsum_offset t where topic = $1 and partisjon >= $2 and epoke < $3 and ${hasNoGap}`, [
    topic,
    count,
    epoch,
  ]);
  for (const table of STATUS_TABLES) {
    await db.query(
      `delete from ${table} t where topic = $1 and partisjon >= $2 and ${hasNoGap}
         and not exists (select from konsum_offset o where o.topic = t.topic and o.partisjon = t.partisjon)
         and not exists (select from topic_epoke e where e.topic = t.topic and e.epoke > $3)`,
      [topic, count, epoch],
    );
  }
}

interface Left {
  partisjon: number;
  epoke: number;
  fra: number;
  til: number;
}

/** In the order in which all others lock them. */
async function readLeft(
  db: EntityManager,
  topic: string,
  { epoch, count }: { epoch: number; count: number },
): Promise<Left[]> {
  const left: Left[] = [];
  for (const table of STATUS_TABLES) {
    const rows = await db.query<Left[]>(
      `select o.partisjon, o.epoke, o.neste_offset::float8 as fra, s.slutt_offset::float8 as til
       from konsum_offset o join ${table} s using (topic, partisjon)
       where o.topic = $1 and o.partisjon >= $2 and o.epoke < $3 order by o.partisjon for update`,
      [topic, count, epoch],
    );
    left.push(...rows);
  }
  return left;
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
