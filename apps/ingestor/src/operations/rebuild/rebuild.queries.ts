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
  lest: number;
  antall: number;
  usette: number;
}

/**
 * Up to where the stream has come: what is after that it reads with today's mapping anyway.
 *
 * @returns its id; undefined when one is running
 */
export async function insertRebuild(
  db: PoolClient,
  topic: string,
  who: string,
  { epoch, extents }: { epoch: number; extents: readonly PartitionExtent[] },
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    'insert into gjenoppbygging (topic, startet_av, epoke) values ($1, $2, $3) on conflict do nothing returning id',
    [topic, who, epoch],
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

/** The last one that was started. */
export async function readProgress(db: Pool, topic: string): Promise<RebuildProgress | undefined> {
  const { rows } = await db.query<RebuildProgress>(
    `select g.id, g.tilstand, g.startet, g.startet_av as "startetAv", g.avsluttet, g.rettet::int as rettet,
       coalesce(sum(least(p.neste_offset, p.slutt_offset) - p.start_offset), 0)::float8 as lest,
       coalesce(sum(p.slutt_offset - p.start_offset), 0)::float8 as antall,
       (select count(*)::int from gjenoppbygging_usett u where u.gjenoppbygging = g.id) as usette
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
     where gjenoppbygging = $1 and ($2::uuid is null or avtale_id > $2) order by avtale_id limit $3`,
    [id, after, count],
  );
  return rows.map((row) => row.avtale_id);
}

/** The one that runs, and where reading goes on in each partition. */
export async function readRunning(
  db: Pool,
  topic: string,
): Promise<{ id: string; positions: Map<number, number> } | undefined> {
  const { rows } = await db.query<{ id: string; partisjon: number | null; neste: string }>(
    `select g.id, p.partisjon, p.neste_offset as neste from gjenoppbygging g
     left join gjenoppbygging_partisjon p on p.gjenoppbygging = g.id where g.topic = $1 and g.tilstand = 'KJORER'`,
    [topic],
  );
  const [first] = rows;
  if (!first) return undefined;
  const positions = rows.flatMap(({ partisjon: partition, neste: next }) =>
    partition === null ? [] : [[partition, Number(next)] as const],
  );
  return { id: first.id, positions: new Map(positions) };
}

/** What the topic has removed since it was planned can't be read any more: it goes on from where the topic starts. */
export async function passRemoved(
  db: PoolClient,
  topic: string,
  { epoch, partitions }: { epoch: number; partitions: readonly PartitionExtent[] },
): Promise<void> {
  const { rows } = await db.query<{ id: string }>(
    `select id from gjenoppbygging where topic = $1 and tilstand = 'KJORER' and epoke = $2 for update`,
    [topic, epoch],
  );
  const id = rows[0]?.id;
  if (id === undefined) return;
  await db.query(
    `update gjenoppbygging_partisjon p set neste_offset = k.start
     from unnest($2::int[], $3::bigint[]) as k(partisjon, start)
     where p.gjenoppbygging = $1 and p.partisjon = k.partisjon and p.neste_offset < k.start`,
    [id, partitions.map(({ partition }) => partition), partitions.map(({ start }) => start)],
  );
  await endWhenRead(db, id);
}

export interface RebuildPlan {
  id: string;
  /** of the topic that it reads again */
  epoch: number;
  /** Nav ident */
  startedBy: string;
  next: number;
  end: number;
}

/** What is left of the partition, locked until the transaction ends; undefined when nothing runs. */
export async function lockPlan(db: PoolClient, topic: string, partition: number): Promise<RebuildPlan | undefined> {
  const { rows } = await db.query<{
    id: string;
    epoke: number;
    startet_av: string;
    neste_offset: string;
    slutt_offset: string;
  }>(
    `select g.id, g.epoke, g.startet_av, p.neste_offset, p.slutt_offset
     from gjenoppbygging g join gjenoppbygging_partisjon p on p.gjenoppbygging = g.id
     where g.topic = $1 and g.tilstand = 'KJORER' and p.partisjon = $2 for update of g, p`,
    [topic, partition],
  );
  const [row] = rows;
  return (
    row && {
      id: row.id,
      epoch: row.epoke,
      startedBy: row.startet_av,
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
  avtaleIder: string[];
}

export async function recordRead(
  db: PoolClient,
  id: string,
  { partition, next, repaired, avtaleIder }: BatchRead,
): Promise<void> {
  await db.query('insert into gjenoppbygging_sett select $1, unnest($2::uuid[]) on conflict do nothing', [
    id,
    avtaleIder,
  ]);
  await db.query('update gjenoppbygging_partisjon set neste_offset = $3 where gjenoppbygging = $1 and partisjon = $2', [
    id,
    partition,
    next,
  ]);
  await db.query('update gjenoppbygging set rettet = rettet + $2 where id = $1', [id, repaired]);
}

/** When every partition is read: names the avtaler that were stored before it began and that it did not see. */
export async function endWhenRead(db: PoolClient, id: string): Promise<void> {
  const { rowCount } = await db.query(
    `update gjenoppbygging g set tilstand = 'FERDIG', avsluttet = now() where id = $1 and tilstand = 'KJORER' and not exists
       (select from gjenoppbygging_partisjon p where p.gjenoppbygging = g.id and p.neste_offset < p.slutt_offset)`,
    [id],
  );
  if (rowCount === 0) return;
  await db.query(
    `insert into gjenoppbygging_usett
     select $1, a.avtale_id from avtale a
     join gjenoppbygging_partisjon p on p.gjenoppbygging = $1 and p.partisjon = a.kilde_partisjon
     join gjenoppbygging g on g.id = $1
     where a.slettet is null and (a.kilde_epoke < g.epoke or a.kilde_epoke = g.epoke and a.kilde_offset < p.slutt_offset)
       and not exists
       (select from gjenoppbygging_sett s where s.gjenoppbygging = $1 and s.avtale_id = a.avtale_id)`,
    [id],
  );
  await db.query('delete from gjenoppbygging_sett where gjenoppbygging = $1', [id]);
}

/** @returns whether one was running */
export async function setCancelled(db: PoolClient, topic: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update gjenoppbygging set tilstand = 'STOPPET', avsluttet = now() where topic = $1 and tilstand = 'KJORER'`,
    [topic],
  );
  return rowCount !== 0;
}
