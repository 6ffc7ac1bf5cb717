import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { positionsTable } from '../../kafka/positions.queries.ts';
import type { PartitionExtent } from '../../kafka/topic-admin.ts';

/** A rebuild as it stands; offsets are counted over all partitions. */
export interface RebuildProgress {
  id: string;
  tilstand: 'KJORER' | 'STOPPET' | 'FERDIG';
  startet: Date;
  startetAv: string;
  avsluttet: Date | null;
  rettet: number;
  /** of which the change feed said otherwise than what is stored, and was told */
  varslet: number;
  lest: number;
  antall: number;
  usette: number;
  /** of a resource: those of them that went */
  fjernet: number;
  /** of a resource: so many are unseen that somebody must say that they may go */
  awaitsConfirmation: boolean;
  /** of a resource: nothing of it is changed */
  isReport: boolean;
}

/**
 * Up to where the stream has come: what is after that it reads with today's mapping anyway.
 *
 * @returns its id; undefined when one is running
 */
export async function insertRebuild(
  db: PoolClient,
  topic: string,
  { who, closesGaps, isReport }: { who: string; closesGaps: boolean; isReport: boolean },
  { epoch, extents }: { epoch: number; extents: readonly PartitionExtent[] },
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `insert into gjenoppbygging (topic, startet_av, epoke, lukker_hull, rapport) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning id`,
    [topic, who, epoch, closesGaps, isReport],
  );
  const id = rows[0]?.id;
  if (id === undefined) return undefined;
  await db.query(
    `insert into gjenoppbygging_partisjon (gjenoppbygging, partisjon, start_offset, neste_offset, slutt_offset)
     select $1, o.partisjon, k.start, k.start, greatest(k.start, o.neste_offset)
     from ${positionsTable('$2')} o join unnest($3::int[], $4::bigint[]) as k(partisjon, start) using (partisjon)
     where o.epoke = $5`,
    [id, topic, extents.map(({ partition }) => partition), extents.map(({ start }) => start), epoch],
  );
  return id;
}

/** The last one that was started, of avtaler. */
export async function readProgress(db: Pool, topic: string): Promise<RebuildProgress | undefined> {
  const { rows } = await db.query<RebuildProgress>(
    `select g.id, g.tilstand, g.startet, g.startet_av as "startetAv", g.avsluttet, g.rettet::int as rettet,
       g.varslet::int as varslet, coalesce(sum(least(p.neste_offset, p.slutt_offset) - p.start_offset), 0)::float8 as lest,
       coalesce(sum(p.slutt_offset - p.start_offset), 0)::float8 as antall,
       case when g.tilstand = 'FERDIG' then
         (select count(*)::int from gjenoppbygging_usett u where u.gjenoppbygging = g.id) else 0 end as usette,
       0 as fjernet, false as "awaitsConfirmation", false as "isReport"
     from gjenoppbygging g left join gjenoppbygging_partisjon p on p.gjenoppbygging = g.id
     where g.topic = $1 group by g.id order by g.id desc limit 1`,
    [topic],
  );
  return rows[0];
}

/** Avtaler that the topic did not tell of, from after `after`. */
export async function readUnseen(db: Pool, id: string, after: string | null, count: number): Promise<string[]> {
  const { rows } = await db.query<{ avtale_id: string }>(
    `select avtale_id from gjenoppbygging_usett
     where gjenoppbygging = (select id from gjenoppbygging where id = $1 and tilstand = 'FERDIG')
       and ($2::uuid is null or avtale_id > $2) order by avtale_id limit $3`,
    [id, after, count],
  );
  return rows.map((row) => row.avtale_id);
}

export interface RunningRebuild {
  id: string;
  positions: Map<number, number>;
  /** of a resource: what was not seen is named */
  isNamed: boolean;
  /** of a resource: and may go */
  isConfirmed: boolean;
  isReport: boolean;
}

/** The one that runs, and where reading goes on in each partition. */
export async function readRunning(db: Pool, topic: string): Promise<RunningRebuild | undefined> {
  const { rows } = await db.query<Omit<RunningRebuild, 'positions'> & { partisjon: number | null; neste: string }>(
    `select g.id, g.navngitt is not null as "isNamed", g.bekreftet as "isConfirmed",
       g.rapport as "isReport", p.partisjon, p.neste_offset as neste
     from gjenoppbygging g
     left join gjenoppbygging_partisjon p on p.gjenoppbygging = g.id where g.topic = $1 and g.tilstand = 'KJORER'`,
    [topic],
  );
  const [first] = rows;
  if (!first) return undefined;
  const positions = rows.flatMap(({ partisjon: partition, neste: next }) =>
    partition === null ? [] : [[partition, Number(next)] as const],
  );
  const { id, isNamed, isConfirmed, isReport } = first;
  return { id, isNamed, isConfirmed, isReport, positions: new Map(positions) };
}

/**
 * What the topic has removed since it was planned can't be read any more: it goes on from where the topic starts. The rebuild
 * itself is not locked: who plays a piece has its partition first, and then that.
 */
export async function passRemoved(
  db: Pool,
  topic: string,
  { epoch, partitions }: { epoch: number; partitions: readonly PartitionExtent[] },
): Promise<void> {
  await db.query(
    `update gjenoppbygging_partisjon p set neste_offset = k.start
     from unnest($3::int[], $4::bigint[]) as k(partisjon, start)
     where p.gjenoppbygging = (select id from gjenoppbygging where topic = $1 and tilstand = 'KJORER' and epoke = $2)
       and p.partisjon = k.partisjon and p.neste_offset < k.start`,
    [topic, epoch, partitions.map(({ partition }) => partition), partitions.map(({ start }) => start)],
  );
}

export interface RebuildPlan {
  id: string;
  /** of the topic that it reads again */
  epoch: number;
  /** Nav ident */
  startedBy: string;
  isReport: boolean;
  next: number;
  end: number;
}

/**
 * What is left of the partition, locked until the transaction ends; undefined when nothing runs. The rebuild itself is
 * not: pieces of several partitions are under way at once in several processes, each with a position of the stream.
 */
export async function lockPlan(db: PoolClient, topic: string, partition: number): Promise<RebuildPlan | undefined> {
  const { rows } = await db.query<{
    id: string;
    epoke: number;
    startet_av: string;
    rapport: boolean;
    neste_offset: string;
    slutt_offset: string;
  }>(
    `select g.id, g.epoke, g.startet_av, g.rapport, p.neste_offset, p.slutt_offset
     from gjenoppbygging g join gjenoppbygging_partisjon p on p.gjenoppbygging = g.id
     where g.topic = $1 and g.tilstand = 'KJORER' and p.partisjon = $2
     for update of p for key share of g`,
    [topic, partition],
  );
  const [row] = rows;
  return (
    row && {
      id: row.id,
      epoch: row.epoke,
      startedBy: row.startet_av,
      isReport: row.rapport,
      next: Number(row.neste_offset),
      end: Number(row.slutt_offset),
    }
  );
}

/** What a batch came to. */
interface BatchRead {
  partition: number;
  /** where reading of the partition goes on */
  next: number;
  /** rows that were put right */
  repaired: number;
}

export async function recordSeen(db: PoolClient, id: string, avtaleIder: readonly string[]): Promise<void> {
  await db.query('insert into gjenoppbygging_sett select $1, unnest($2::uuid[]) on conflict do nothing', [
    id,
    avtaleIder,
  ]);
}

export async function recordRead(db: PoolClient, id: string, { partition, next, repaired }: BatchRead): Promise<void> {
  await db.query('update gjenoppbygging_partisjon set neste_offset = $3 where gjenoppbygging = $1 and partisjon = $2', [
    id,
    partition,
    next,
  ]);
  await addRepaired(db, id, repaired);
}

/** In the transaction that puts them right: whoever goes on when a process is killed finds none of them. */
export async function addRepaired(db: PoolClient, id: string, count: number): Promise<void> {
  if (count > 0) await db.query('update gjenoppbygging set rettet = rettet + $2 where id = $1', [id, count]);
}

/** Whether every partition of the one that runs is read: then what it did not see is to be named, and it ends. */
export async function isRead(db: Pool, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from gjenoppbygging_partisjon where gjenoppbygging = $1 and neste_offset < slutt_offset limit 1',
    [id],
  );
  return rowCount === 0;
}

/**
 * Names those of the next avtaler that were stored before it began and that it did not see. Done again, it names them no
 * more than once.
 *
 * @returns the last that was looked at; undefined when there were none, or the rebuild is over: another has ended it
 */
export async function nameUnseen(
  db: Pool,
  id: string,
  after: string | undefined,
  count: number,
): Promise<string | undefined> {
  const { rows } = await db.query<{ avtale_id: string }>({
    name: 'navngi_usette',
    text: `with neste as materialized (
             select avtale_id, kilde_partisjon, kilde_epoke, kilde_offset, slettet from avtale
             where avtale_id > $2 and exists (select from gjenoppbygging where id = $1 and tilstand = 'KJORER')
             order by avtale_id limit $3),
           usette as (
             insert into gjenoppbygging_usett
             select $1, a.avtale_id from neste a
             join gjenoppbygging_partisjon p on p.gjenoppbygging = $1 and p.partisjon = a.kilde_partisjon
             join gjenoppbygging g on g.id = $1 and g.tilstand = 'KJORER'
             where a.slettet is null
               and (a.kilde_epoke < g.epoke or a.kilde_epoke = g.epoke and a.kilde_offset < p.slutt_offset)
               and not exists
               (select from gjenoppbygging_sett s where s.gjenoppbygging = $1 and s.avtale_id = a.avtale_id)
             on conflict do nothing)
           select avtale_id from neste order by avtale_id desc limit 1`,
    values: [id, after ?? LOWEST, count],
  });
  return rows[0]?.avtale_id;
}

const LOWEST = '00000000-0000-0000-0000-000000000000';

/**
 * Unless somebody has cancelled it meanwhile, or another process has ended it.
 *
 * @param wouldBe of a report: rows that are to be put right, and that are not counted yet; whoever asks finds all of them
 */
export async function setDone(db: Pool, id: string, wouldBe = 0): Promise<void> {
  await db.query(
    `update gjenoppbygging set tilstand = 'FERDIG', avsluttet = now(), rettet = rettet + $2
     where id = $1 and tilstand = 'KJORER'`,
    [id, wouldBe],
  );
}

/**
 * Of rebuilds that are over, what they saw is of no more use. By one ingestor at a time: several would wait for one
 * another's rows.
 *
 * @returns how many rows went, at most `count`; 0 also while another is at it
 */
export async function deleteSeen(db: Pool, count: number): Promise<number> {
  const { rowCount } = await db.query(
    `with alene as materialized (select pg_try_advisory_xact_lock(${LOCKS.SEEN}) as ja)
     delete from gjenoppbygging_sett where (gjenoppbygging, avtale_id) in (
       select s.gjenoppbygging, s.avtale_id from gjenoppbygging g
       cross join lateral (
         select gjenoppbygging, avtale_id from gjenoppbygging_sett where gjenoppbygging = g.id limit $1) s
       where g.tilstand <> 'KJORER' and (select ja from alene) limit $1)`,
    [count],
  );
  return rowCount ?? 0;
}

/** @returns whether one was running */
export async function setCancelled(db: PoolClient, topic: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update gjenoppbygging set tilstand = 'STOPPET', avsluttet = now() where topic = $1 and tilstand = 'KJORER'`,
    [topic],
  );
  return rowCount !== 0;
}

export async function countOpenGaps(db: Pool, topic: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::int as count from konsum_hull where topic = $1 and lukket is null',
    [topic],
  );
  return rows[0]?.count ?? 0;
}
