import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { positionsTable } from '../kafka/positions.queries.ts';
import type { PartitionExtent } from '../kafka/topic-admin.ts';

export const DIFFERENCE_TYPES = ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'] as const;
export type DifferenceType = (typeof DIFFERENCE_TYPES)[number];

export const SOURCE_TYPES = ['LISTE', 'TOPIC'] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

/** The differences of one type. */
export interface DifferenceCount {
  type: DifferenceType;
  /** those that count */
  antall: number;
  /** of these, those that are healed */
  rettet: number;
  /** those too fresh to count */
  ferske: number;
  /** the newest `sistEndret` of the one that has differed for longest, of those that count */
  oldest: Date | null;
}

export interface AvstemmingReport {
  id: string;
  kilde: SourceType;
  per: Date;
  startetAv: string;
  avsluttet: Date;
  antallHosKilden: number;
  /** each type, in the order of `DIFFERENCE_TYPES` */
  differanser: DifferenceCount[];
}

export interface Difference {
  avtaleId: string;
  type: DifferenceType;
  /** to the microsecond, as all times of change */
  sistEndretHosKilden: string | null;
  sistEndretHer: string | null;
  rettet: Date | null;
}

/** One at a time in the database, until it is given back or the connection ends. */
export async function tryLock(db: PoolClient): Promise<boolean> {
  const { rows } = await db.query<{ got: boolean }>(`select pg_try_advisory_lock(${LOCKS.AVSTEMMING}) as got`);
  return rows[0]?.got === true;
}

/** Also after a statement that failed, in whose transaction nothing else can be done. */
export async function unlock(db: PoolClient): Promise<void> {
  await db.query(`rollback; select pg_advisory_unlock(${LOCKS.AVSTEMMING})`);
}

export interface NewReport {
  kilde: SourceType;
  per: Date;
  startetAv: string;
}

/** @returns its id, and how many avtaler there are in the temporary table `hos_kilden` */
export async function insertReport(
  db: PoolClient,
  { kilde: source, per, startetAv: startedBy }: NewReport,
): Promise<{ id: string; antall: number }> {
  await db.query('analyze hos_kilden');
  const { rows } = await db.query<{ id: string; antall: number }>(
    `insert into avstemming (kilde, per, startet_av, antall_hos_kilden)
     select $1, $2, $3, count(distinct avtale_id) from hos_kilden returning id, antall_hos_kilden as antall`,
    [source, per, startedBy],
  );
  const [{ id, antall: count } = { id: '', antall: 0 }] = rows;
  return { id, antall: count };
}

/** What makes a difference too fresh to count. */
export interface FreshnessRule {
  /** the two sides are compared as of then */
  per: Date;
  /** changes this much before need not have come yet; undefined: they must have */
  deadlineSeconds: number | undefined;
  /** what was learned since counts as fresh too: when the source's side is from before the comparison began */
  learntAfter: Date | undefined;
  topic: string;
  /** where what may be read of the topic ended when the comparison began: what a message of the stream decided since is fresh */
  ends: readonly PartitionExtent[];
}

/**
 * Both sides in one statement, so in one snapshot. One that we hold as deleted is missing when the source knows it as
 * changed after that; or when a tombstone deleted it, since the source would not name it at all then.
 */
export async function compare(db: PoolClient, id: string, freshness: FreshnessRule): Promise<void> {
  const { per, deadlineSeconds, learntAfter, topic, ends } = freshness;
  await db.query(
    `insert into avstemming_differanse
       (avstemming, type, fersk, avtale_id, sist_endret_hos_kilden, sist_endret_her, partisjon, kafka_offset, epoke)
     select $1, type,
       coalesce(greatest(kilde, her, gravlagt) > $2::timestamptz - make_interval(secs => $3), false)
         or coalesce(mottatt > $4, false)
         or coalesce(kilde_offset >= o.slutt and kilde_offset < o.neste_offset, false),
       avtale_id, kilde, her, kilde_partisjon, kilde_offset, coalesce(kilde_epoke, 0)
     from (
       select avtale_id, k.sist_endret as kilde, a.sist_endret as her, a.mottatt, a.kilde_epoke, a.kilde_partisjon, a.kilde_offset,
         case when a.slettet = 'GRAVSTEIN' then a.mottatt end as gravlagt,
         case
           when k.avtale_id is null then case when a.slettet is null then 'FREMMED' end
           when a.avtale_id is null or a.slettet = 'GRAVSTEIN' then 'MANGLER'
           when a.slettet is not null then
             case when a.sist_endret is null or a.sist_endret < k.sist_endret then 'MANGLER' end
           when a.sist_endret is null or a.sist_endret < k.sist_endret then 'UTDATERT'
           when a.sist_endret > k.sist_endret then 'NYERE'
         end as type
       from (select avtale_id, max(sist_endret) as sist_endret from hos_kilden group by avtale_id) k
       full join avtale a using (avtale_id)
     ) d
     left join (
       select s.partisjon, s.slutt, k.neste_offset, k.epoke from unnest($6::int[], $7::bigint[]) as s(partisjon, slutt)
       join ${positionsTable('$5')} k using (partisjon)
     ) o on o.partisjon = d.kilde_partisjon and o.epoke = d.kilde_epoke
     where type is not null`,
    [
      id,
      per,
      deadlineSeconds ?? null,
      learntAfter ?? null,
      topic,
      ends.map(({ partition }) => partition),
      ends.map(({ stableEnd }) => stableEnd),
    ],
  );
}

const KEPT = 50;

/** All but the newest. */
export async function pruneReports(db: PoolClient): Promise<void> {
  await db.query('delete from avstemming where id <= (select id from avstemming order by id desc offset $1 limit 1)', [
    KEPT,
  ]);
}

const REPORT = `
  select a.id, a.kilde, a.per, a.startet_av as "startetAv", a.avsluttet, a.antall_hos_kilden as "antallHosKilden",
    array(
      select json_build_object('type', t.type, 'antall', count(d.*) filter (where not d.fersk),
        'rettet', count(d.rettet), 'ferske', count(d.*) filter (where d.fersk),
        'oldest', min(greatest(d.sist_endret_hos_kilden, d.sist_endret_her)) filter (where not d.fersk))
      from unnest($1::text[]) with ordinality as t(type, nr)
      left join avstemming_differanse d on d.avstemming = a.id and d.type = t.type
      group by t.type, t.nr order by t.nr
    ) as differanser
  from avstemming a`;

/** Newest first. */
export async function listReports(db: Pool, before: string | undefined, count: number): Promise<AvstemmingReport[]> {
  const { rows } = await db.query<AvstemmingReport>(
    `${REPORT} where $2::bigint is null or a.id < $2 order by a.id desc limit $3`,
    [DIFFERENCE_TYPES, before ?? null, count],
  );
  return rows.map(withTimes);
}

export async function readReport(db: Pool, id: string): Promise<AvstemmingReport | undefined> {
  const { rows } = await db.query<AvstemmingReport>(`${REPORT} where a.id = $2`, [DIFFERENCE_TYPES, id]);
  return rows.map(withTimes)[0];
}

/** JSON has no times. */
function withTimes(row: AvstemmingReport): AvstemmingReport {
  const differences = row.differanser.map((difference) => ({
    ...difference,
    oldest: difference.oldest && new Date(difference.oldest),
  }));
  return { ...row, differanser: differences };
}

const utcText = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

export interface DifferenceFilter {
  types: readonly DifferenceType[];
  ferske: boolean;
  /** undefined: both */
  rettet?: boolean | undefined;
  /** avtaleId; from after it */
  etter?: string | undefined;
  antall: number;
}

/** In order of avtaleId. */
export async function listDifferences(
  db: Pool,
  id: string,
  { types, ferske: fresh, rettet: repaired, etter: after, antall: count }: DifferenceFilter,
): Promise<Difference[]> {
  const { rows } = await db.query<Difference>(
    `select avtale_id as "avtaleId", type, ${utcText('sist_endret_hos_kilden')} as "sistEndretHosKilden",
       ${utcText('sist_endret_her')} as "sistEndretHer", rettet
     from avstemming_differanse
     where avstemming = $1 and type = any($2) and fersk = $3 and ($4::bool is null or (rettet is not null) = $4)
       and ($5::uuid is null or avtale_id > $5)
     order by avtale_id limit $6`,
    [id, types, fresh, repaired ?? null, after ?? null, count],
  );
  return rows;
}
