import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import type { ResourceColumns } from '../../ingest/resource-columns.ts';
import { UNDECODABLE } from '../held/held.queries.ts';
import { addRepaired, type RebuildProgress } from './rebuild.queries.ts';

/** Keys that the topic tells of, in order: the stream notes some of the same. */
export async function recordSeenKeys(db: PoolClient, id: string, keys: readonly string[]): Promise<void> {
  await db.query(
    `insert into gjenoppbygging_ressurs_sett select $1, nokkel from unnest($2::text[]) as nokkel order by nokkel
     on conflict do nothing`,
    [id, keys],
  );
}

const MAX_NAMED = 10_000;

/**
 * Names rows that were not what their messages say, the first of them; of the rest it is kept that they are counted, until
 * the rebuild is over. So none is counted again: a piece may have one of its messages and the next another, and of a report
 * whoever goes on when a process is killed finds all of them.
 */
export async function recordRepairedKeys(db: PoolClient, id: string, keys: readonly string[]): Promise<number> {
  if (keys.length === 0) return 0;
  const { rows } = await db.query<{ count: number }>(
    `with nye as materialized (
       select nokkel from unnest($2::text[]) as nokkel where not exists (
         select from gjenoppbygging_ressurs_rettet r where r.gjenoppbygging = $1 and r.nokkel = nokkel.nokkel)
       and not exists (
         select from gjenoppbygging_ressurs_talt t where t.gjenoppbygging = $1 and t.nokkel = nokkel.nokkel)
     ), navngitt as (
       insert into gjenoppbygging_ressurs_rettet select $1, nokkel from nye order by nokkel limit greatest(0, $3 - (
         select count(*) from gjenoppbygging_ressurs_rettet where gjenoppbygging = $1)) on conflict do nothing returning nokkel
     ), talt as (
       insert into gjenoppbygging_ressurs_talt select $1, nokkel from nye
       where nokkel not in (select nokkel from navngitt) order by nokkel on conflict do nothing
     ) select count(*)::int as count from nye`,
    [id, keys, MAX_NAMED],
  );
  return rows[0]?.count ?? 0;
}

/**
 * Of the person register: counted in the transaction that puts them right, or, of a report, in one of their own. Whoever
 * else is at the same, each is counted once, and none is lost with a process.
 */
export async function countRepairedKeys(db: PoolClient, id: string, keys: readonly string[]): Promise<void> {
  const { rowCount } = await db.query(
    `select from gjenoppbygging where id = $1 and tilstand = 'KJORER' for no key update`,
    [id],
  );
  if (rowCount === 0) return;
  const count = await recordRepairedKeys(db, id, keys);
  await addRepaired(db, id, count);
}

/** As `readUnseenKeys`. */
export async function readRepairedKeys(db: Pool, id: string, after: string | null, count: number): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>(
    `select nokkel as key from gjenoppbygging_ressurs_rettet where gjenoppbygging = $1 and nokkel > $2
     order by nokkel limit $3`,
    [id, after ?? '', count],
  );
  return rows.map((row) => row.key);
}

/** What the stream reads while a rebuild of the topic runs, which has planned no further than to where it began. */
export async function recordSeenMeanwhile(db: PoolClient, topic: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await db.query({
    name: 'noter_sett_i_mellomtiden',
    text: `insert into gjenoppbygging_ressurs_sett
           select g.id, nokkel from gjenoppbygging g cross join unnest($2::text[]) as nokkel
           where g.topic = $1 and g.tilstand = 'KJORER' order by nokkel on conflict do nothing`,
    values: [topic, keys],
  });
}

/** As `nameUnseen` of avtaler. What was stored since it began has been seen. */
export async function nameUnseenKeys(
  db: Pool,
  id: string,
  { table, key, keyType }: ResourceColumns,
  { after, count }: { after: string | undefined; count: number },
): Promise<string | undefined> {
  const { rows } = await db.query<{ key: string }>({
    name: `navngi_usette_${table}`,
    text: `with neste as materialized (
             select ${key} as nokkel, slettet from ${table}
             where ${key} > $2::text::${keyType} and exists (select from gjenoppbygging where id = $1 and tilstand = 'KJORER')
             order by ${key} limit $3),
           usette as (
             insert into gjenoppbygging_ressurs_usett
             select $1, nokkel from neste
             where slettet is null and not exists
               (select from gjenoppbygging_ressurs_sett s where s.gjenoppbygging = $1 and s.nokkel = neste.nokkel::text)
             on conflict do nothing)
           select nokkel::text as key from neste order by nokkel desc limit 1`,
    values: [id, after ?? LOWEST[keyType] ?? '', count],
  });
  return rows[0]?.key;
}

const LOWEST: Readonly<Record<string, string>> = { uuid: '00000000-0000-0000-0000-000000000000' };

/**
 * All are named. They may go, unless they are more than the share, or all there is, or the topic has a batch that nobody can
 * read: what that tells of is not known. Decided once, by the process that has named them first: another may be done with it
 * when somebody has confirmed it, or some are gone.
 *
 * @param stored a table with the column `alle`, how many there are; code, and never from outside
 */
export async function setNamed(
  db: Pool,
  id: string,
  stored: string,
  maxPercent: number,
): Promise<{ isConfirmed: boolean } | undefined> {
  const { rows } = await db.query<{ isConfirmed: boolean }>(
    `update gjenoppbygging g set navngitt = coalesce(g.navngitt, now()),
       bekreftet = case when g.navngitt is not null then g.bekreftet else g.rapport or (
         select usette = 0 or usette < alle and usette * 100 <= alle * $2::int and not exists (
           select from parkert_melding p where p.topic = g.topic and p.tilstand = 'PARKERT' and p.kode = $3)
         from (select count(*) as usette from gjenoppbygging_ressurs_usett where gjenoppbygging = $1) u,
           ${stored} a) end
     where id = $1 and tilstand = 'KJORER' returning bekreftet as "isConfirmed"`,
    [id, maxPercent, UNDECODABLE],
  );
  return rows[0];
}

/** @returns its id, when it waits for just so many to be confirmed */
export async function setConfirmed(db: PoolClient, topic: string, count: number): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `update gjenoppbygging g set bekreftet = true
     where topic = $1 and tilstand = 'KJORER' and navngitt is not null and not bekreftet
       and (select count(*) from gjenoppbygging_ressurs_usett u where u.gjenoppbygging = g.id) = $2
     returning id`,
    [topic, count],
  );
  return rows[0]?.id;
}

/** Those that are named, and not decided on yet. */
export async function readUndecided(db: Pool, id: string, count: number): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>(
    `select nokkel as key from gjenoppbygging_ressurs_usett where gjenoppbygging = $1 and avgjort is null
     order by nokkel limit $2`,
    [id, count],
  );
  return rows.map((row) => row.key);
}

/**
 * Of those that are locked: the stream has told of none of these. Holds the rebuild until the transaction ends, since what
 * was seen is forgotten as soon as it is over.
 *
 * @returns undefined when it is over
 */
export async function chooseUnseen(
  db: PoolClient,
  id: string,
  keys: readonly string[],
): Promise<Set<string> | undefined> {
  const { rowCount } = await db.query(
    `select from gjenoppbygging where id = $1 and tilstand = 'KJORER' and bekreftet for share`,
    [id],
  );
  if (rowCount === 0) return undefined;
  const { rows } = await db.query<{ key: string }>(
    `select nokkel as key from unnest($2::text[]) as nokkel
     where not exists (select from gjenoppbygging_ressurs_sett s where s.gjenoppbygging = $1 and s.nokkel = nokkel.nokkel)`,
    [id, keys],
  );
  return new Set(rows.map((row) => row.key));
}

/** Another process may have read the same of them, and removed them by now: what it decided on stays. */
export async function setDecided(
  db: PoolClient,
  id: string,
  keys: readonly string[],
  removed: readonly string[],
): Promise<void> {
  await db.query(
    `update gjenoppbygging_ressurs_usett set avgjort = now(), fjernet = nokkel = any($3::text[])
     where gjenoppbygging = $1 and nokkel = any($2::text[]) and avgjort is null`,
    [id, keys, removed],
  );
}

/** As `readProgress` of avtaler. */
export async function readResourceProgress(db: Pool, topic: string): Promise<RebuildProgress | undefined> {
  const { rows } = await db.query<RebuildProgress>(
    `select g.id, g.tilstand, g.startet, g.startet_av as "startetAv", g.avsluttet, g.rettet::int as rettet,
       g.varslet::int as varslet, g.rapport as "isReport", p.lest::float8 as lest, p.antall::float8 as antall,
       case when g.navngitt is null then 0 else u.usette end::int as usette, u.fjernet::int as fjernet,
       g.tilstand = 'KJORER' and g.navngitt is not null and not g.bekreftet as "awaitsConfirmation"
     from gjenoppbygging g,
     lateral (select coalesce(sum(least(neste_offset, slutt_offset) - start_offset), 0) as lest,
       coalesce(sum(slutt_offset - start_offset), 0) as antall from gjenoppbygging_partisjon where gjenoppbygging = g.id) p,
     lateral (select count(*) as usette, count(*) filter (where fjernet) as fjernet
       from gjenoppbygging_ressurs_usett where gjenoppbygging = g.id) u
     where g.topic = $1 order by g.id desc limit 1`,
    [topic],
  );
  return rows[0];
}

/** As `readUnseen` of avtaler. */
export async function readUnseenKeys(db: Pool, id: string, after: string | null, count: number): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>(
    `select nokkel as key from gjenoppbygging_ressurs_usett
     where gjenoppbygging = (select id from gjenoppbygging where id = $1 and navngitt is not null)
       and nokkel > $2 order by nokkel limit $3`,
    [id, after ?? '', count],
  );
  return rows.map((row) => row.key);
}

/** As `deleteSeen` of avtaler. */
export async function deleteSeenKeys(db: Pool, count: number): Promise<number> {
  const { rowCount } = await db.query(
    `with alene as materialized (select pg_try_advisory_xact_lock(${LOCKS.SEEN}) as ja)
     delete from gjenoppbygging_ressurs_sett where (gjenoppbygging, nokkel) in (
       select s.gjenoppbygging, s.nokkel from gjenoppbygging g
       cross join lateral (
         select gjenoppbygging, nokkel from gjenoppbygging_ressurs_sett where gjenoppbygging = g.id limit $1) s
       where g.tilstand <> 'KJORER' and (select ja from alene) limit $1)`,
    [count],
  );
  return rowCount ?? 0;
}
