import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { readEpoch } from '../kafka/epochs.queries.ts';
import type { TopicDescription } from '../kafka/topic-admin.ts';
import type { Pushed, StoredNames } from './pushed/pushed.ts';
import { pushedOf } from './pushed/resources.ts';
import { MAX_REMARKS, type Remark } from './remarks.ts';
import type { SyncPage, SyncType } from './sync-page.ts';

export const SYNC_STATES = [
  'MOTTAR',
  'SLETTER',
  'VENTER_PAA_BEKREFTELSE',
  'FULLFOERT',
  'ERSTATTET',
  'UTLOEPT',
  'FEILET',
] as const;
export type SyncState = (typeof SYNC_STATES)[number];

/** How long without a page, by the database's clock. */
export interface SyncDeadlines {
  stalledSeconds: number;
  expiresSeconds: number;
}

/** What the stream made of entries, as far as they have been counted. */
export interface SyncCounts {
  endret: number;
  uendret: number;
  foreldet: number;
  parkert: number;
}

/** A request of a sync that was refused: what was wrong, and no value. */
export interface SyncFailure {
  tidspunkt: string;
  synkId: string | null;
  side: number | null;
  status: number;
  detail: string;
  feil: { felt: string; melding: string }[];
}

export interface SyncRow extends SyncCounts {
  merknader: (Remark & { side: number })[];
  sisteFeil: SyncFailure | null;
  synkId: string;
  /** what its entries are */
  ressurs: string;
  type: SyncType;
  tilstand: SyncState;
  stanset: boolean;
  antallSider: number;
  antallTotalt: number;
  mottatteSider: number;
  mottatteRessurser: number;
  startet: Date;
  sisteSide: Date;
  avsluttet: Date | null;
  skalSlettes: number | null;
  startOffset: Record<string, number>;
  /** of the topic that `startOffset` is of */
  epoke: number;
  bekreftetAv: string | null;
}

/** The state of a sync of any resource (see the migration that made `ressurstilstand`). */
export const STATE = 'coalesce(s.ressurstilstand, s.tilstand)';

const READ_SYNC = `
  select s.synk_id as "synkId", s.ressurs, s.type, s.antall_sider as "antallSider", s.antall_totalt as "antallTotalt",
    case when ${STATE} = 'MOTTAR' and uten_side >= $2 then 'UTLOEPT' else ${STATE} end as tilstand,
    ${STATE} = 'MOTTAR' and uten_side >= $1 and uten_side < $2 as stanset,
    sider::int as "mottatteSider", ressurser::int as "mottatteRessurser", s.startet, siste as "sisteSide", s.avsluttet,
    s.skal_slettes as "skalSlettes", s.start_offset as "startOffset", s.epoke, s.bekreftet_av as "bekreftetAv",
    endret::int, uendret::int, foreldet::int, parkert::int, merknader, s.siste_feil as "sisteFeil"
  from synk s
  cross join lateral (
    select count(*) as sider, coalesce(sum(antall), 0) as ressurser, coalesce(max(mottatt), s.startet) as siste,
      coalesce(sum(endret), 0) as endret, coalesce(sum(uendret), 0) as uendret, coalesce(sum(foreldet), 0) as foreldet,
      coalesce(sum(parkert), 0) as parkert
    from synk_side where synk_id = s.synk_id
  ) side
  cross join lateral (
    select coalesce(jsonb_agg(to_jsonb(m)), '[]') as merknader from (
      select m ->> 'slag' as slag, m ->> 'felt' as felt, m ->> 'mente' as mente, sum((m ->> 'antall')::int) as antall,
        min(side) as side, (array_agg((m ->> 'innslag')::int order by side))[1] as innslag
      from synk_side cross join jsonb_array_elements(merknader) m
      where synk_id = s.synk_id and merknader is not null
      group by 1, 2, 3 order by antall desc, felt limit ${String(MAX_REMARKS)}) m
  ) merknad
  cross join lateral (select extract(epoch from clock_timestamp() - siste) as uten_side) tid`;

const deadlineParams = ({ stalledSeconds, expiresSeconds }: SyncDeadlines): number[] => [
  stalledSeconds,
  expiresSeconds,
];

/** Its state is UTLOEPT as soon as the clock says so, also before that is stored. */
export async function readSync(
  db: Pool | PoolClient,
  syncId: string,
  deadlines: SyncDeadlines,
): Promise<SyncRow | undefined> {
  const { rows } = await db.query<SyncRow>(`${READ_SYNC} where s.synk_id = $3`, [...deadlineParams(deadlines), syncId]);
  return rows[0];
}

/** Newest first. */
export async function listSyncs(db: Pool, deadlines: SyncDeadlines, count: number): Promise<SyncRow[]> {
  const { rows } = await db.query<SyncRow>(`${READ_SYNC} order by s.startet desc limit $3`, [
    ...deadlineParams(deadlines),
    count,
  ]);
  return rows;
}

export async function readMissingPages(db: Pool, syncId: string, max: number): Promise<number[]> {
  const { rows } = await db.query<{ side: number }>(
    `select side from synk s cross join generate_series(1, s.antall_sider) side
     where s.synk_id = $1 and not exists (select from synk_side m where m.synk_id = s.synk_id and m.side = side.side)
     order by side limit $2`,
    [syncId, max],
  );
  return rows.map(({ side: page }) => page);
}

/**
 * One at a time makes syncs: the newer full sync replaces the one of its resource before it, whatever that was doing.
 *
 * @param topic its name, and where it ends. Asked for only when no page of the older one is under way any more: one that
 *   came to lie behind it would be taken for a change during the newer sync, and what it held would not be deleted.
 */
export async function createSync(
  db: PoolClient,
  page: SyncPage,
  topic: { name: string; describe: () => Promise<TopicDescription> },
): Promise<void> {
  const { resource, synkId: syncId, type, antallSider: pageCount, antallTotalt: totalCount } = page;
  await db.query(`select pg_advisory_xact_lock(${LOCKS.NEW_SYNC})`);
  const { rowCount } = await db.query('select from synk where synk_id = $1', [syncId]);
  if (rowCount !== 0) return;
  if (type === 'FULL') await replaceFull(db, resource);
  const { id, partitions } = await topic.describe();
  const ends = partitions.map(({ partition, end }) => [partition, end]);
  const epoch = await readEpoch(db, topic.name, id);
  await db.query(
    `insert into synk (synk_id, type, antall_sider, antall_totalt, start_offset, epoke, ressurs, tilstand, ressurstilstand)
     values ($1, $2, $3, $4, $5, $6, $7, ${statesOf('MOTTAR', '$7')})`,
    [syncId, type, pageCount, totalCount, JSON.stringify(Object.fromEntries(ends)), epoch, resource.name],
  );
}

/** What `tilstand` and `ressurstilstand` are of that state: expressions of SQL. @param resource its name, as SQL */
function statesOf(state: SyncState, resource: string): string {
  return `case when ${resource}::text = 'avtaler' then '${state}' else 'ANNEN' end, case when ${resource}::text <> 'avtaler' then '${state}' end`;
}

async function replaceFull(db: PoolClient, { name, stored }: Pushed): Promise<void> {
  const { rows } = await db.query<{ synk_id: string }>(
    `update synk s set (tilstand, ressurstilstand) = (select ${statesOf('ERSTATTET', 's.ressurs')}), avsluttet = clock_timestamp()
     where type = 'FULL' and ressurs = $1 and ${STATE} in ('MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE') returning synk_id`,
    [name],
  );
  await deleteSyncKeys(
    db,
    stored,
    rows.map((row) => row.synk_id),
  );
}

/** Against a change of state, until the transaction ends; pages of the same sync go on beside each other. */
export async function lockSyncShared(db: PoolClient, syncId: string): Promise<void> {
  await db.query('select from synk where synk_id = $1 for share', [syncId]);
}

export async function lockSync(db: PoolClient, syncId: string): Promise<void> {
  await db.query('select from synk where synk_id = $1 for update', [syncId]);
}

/** @returns the fingerprint of the page, when it is there already; waits for who is adding it at this moment */
export async function insertPage(
  db: PoolClient,
  { resource, synkId: syncId, side: page, fingerprint, messages, changedAt, remarks }: SyncPage,
): Promise<Buffer | undefined> {
  const { rowCount } = await db.query(
    `insert into synk_side (synk_id, side, avtrykk, antall, merknader, ${resource.stored.pageKeys}, sist_endret)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [
      syncId,
      page,
      fingerprint,
      messages.length,
      remarks.length === 0 ? null : JSON.stringify(remarks),
      // As one text each: pg looks at each letter of each element for what must be escaped, which these have none of.
      `{${messages.map(({ key }) => key).join(',')}}`,
      `{${changedAt.map((moment) => moment ?? 'null').join(',')}}`,
    ],
  );
  if (rowCount === 1) return undefined;
  const { rows } = await db.query<{ avtrykk: Buffer }>(
    'select avtrykk from synk_side where synk_id = $1 and side = $2',
    [syncId, page],
  );
  return rows[0]?.avtrykk;
}

/** What a page of a full sync holds. @returns the indexes of those that another page of it has, too */
export async function insertSyncKeys(
  db: PoolClient,
  { synced: { table, key, type } }: StoredNames,
  syncId: string,
  keys: string[],
): Promise<number[]> {
  // As one text: pg looks at each letter of each element for what must be escaped, which no key has any of.
  const ids = `{${keys.join(',')}}`;
  // In one order: two pages that say the same at once would each wait for the other.
  const { rows } = await db.query<{ index: number }>(
    `with nye as (
       insert into ${table} (synk_id, ${key}) select $1, sendt from unnest($2::${type}[]) sendt order by sendt
       on conflict do nothing returning ${key} as noekkel)
     select (nr - 1)::int as index from unnest($2::${type}[]) with ordinality as sendt (noekkel, nr)
     where not exists (select from nye where nye.noekkel = sendt.noekkel) order by nr`,
    [syncId, ids],
  );
  return rows.map(({ index }) => index);
}

async function deleteSyncKeys(db: PoolClient, { synced }: StoredNames, syncIds: string[]): Promise<void> {
  await db.query(`delete from ${synced.table} where synk_id = any($1)`, [syncIds]);
}

/** Of a sync whose row is locked. A state that ends the sync is given the time. */
export async function setSyncState(
  db: PoolClient,
  { synkId: syncId, ressurs: resource }: Pick<SyncRow, 'synkId' | 'ressurs'>,
  state: SyncState,
): Promise<void> {
  const end = state !== 'SLETTER' && state !== 'VENTER_PAA_BEKREFTELSE';
  await db.query(
    `update synk set (tilstand, ressurstilstand) = (select ${statesOf(state, 'ressurs')}),
       avsluttet = case when $2 then clock_timestamp() end where synk_id = $1`,
    [syncId, end],
  );
  if (end) await deleteSyncKeys(db, pushedOf(resource).stored, [syncId]);
}

/** Syncs that ended a month ago, but not the last full one of each resource that was completed: what is overdue is reckoned from it. */
export async function deleteOldSyncs(db: Pool): Promise<void> {
  await db.query(
    `delete from synk where avsluttet < now() - interval '30 days' and synk_id not in (
       select distinct on (s.ressurs) synk_id from synk s where type = 'FULL' and ${STATE} = 'FULLFOERT'
       order by s.ressurs, avsluttet desc)`,
  );
}

/** Kept with the contract, and with the sync when there is one of that id. */
export async function saveFailure(db: Pool, failure: Omit<SyncFailure, 'tidspunkt'>): Promise<void> {
  await db.query(
    `with feil as (select $1::jsonb || jsonb_build_object('tidspunkt',
       to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as feil
     ), synken as (update synk set siste_feil = feil from feil where synk_id = $2)
     update adapter set siste_feil = feil from feil`,
    [JSON.stringify(failure), failure.synkId],
  );
}

/** A page whose entries have not been counted. */
export interface UncountedPage {
  ressurs: string;
  synkId: string;
  side: number;
}

/** Of one resource. */
export async function listUncounted(db: Pool, { name, stored }: Pushed, max: number): Promise<UncountedPage[]> {
  const { rows } = await db.query<UncountedPage>(
    `select $1 as ressurs, synk_id as "synkId", side from synk_side where ${stored.pageKeys} is not null
       and synk_id in (select synk_id from synk where ressurs = $1) order by mottatt limit $2`,
    [name, max],
  );
  return rows;
}

/**
 * Of a page all of whose messages have been read: what each entry came to, as far as what is stored tells. A change is a
 * version, or a deletion in the feed, that has come since the page; what another has said in that moment counts as newer.
 * The feed is only searched when something in the page may have been deleted by it.
 */
export async function countPage(
  db: PoolClient,
  { ressurs: resource, synkId: syncId, side: page }: UncountedPage,
): Promise<void> {
  const { current, versions, changes, key, keyType, order, pageKeys } = pushedOf(resource).stored;
  await db.query(
    `with side as materialized (
       select mottatt, ${pageKeys} as noekler, sist_endret from synk_side
       where synk_id = $1 and side = $2 and ${pageKeys} is not null for update skip locked
     ), sendt as materialized (
       select side.mottatt, i.noekkel, i.sist_endret, a.${order} as lagret, a.slettet
       from side cross join unnest(side.noekler::${keyType}[], side.sist_endret) as i (noekkel, sist_endret)
       left join ${current} a on a.${key} = i.noekkel
     ), spor as materialized (
       select exists (
         select from sendt where sist_endret is null or slettet is not null and lagret = sist_endret) as har_slettede
     ), slettet as materialized (
       select distinct e.${key} as noekkel from ${changes} e, side
       where (select har_slettede from spor) and e.tidspunkt >= side.mottatt and e.type = 'SLETTET'
     ), innslag as (
       select case
         when s.noekkel is not null and (i.sist_endret is null or i.slettet is not null and i.lagret = i.sist_endret)
           then 'ENDRET'
         when i.sist_endret is null then 'UENDRET'
         when exists (select from ${versions} v where v.${key} = i.noekkel and v.laert >= i.mottatt
           and v.${order} = i.sist_endret) then 'ENDRET'
         when i.lagret = i.sist_endret and i.slettet is distinct from 'GRAVSTEIN' then 'UENDRET'
         when i.lagret > i.sist_endret or i.slettet is not null then 'FORELDET'
         else 'PARKERT' end as utfall
       from sendt i left join slettet s on s.noekkel = i.noekkel
     ), talt as (
       select count(*) filter (where utfall = 'ENDRET') as endret, count(*) filter (where utfall = 'UENDRET') as uendret,
         count(*) filter (where utfall = 'FORELDET') as foreldet, count(*) filter (where utfall = 'PARKERT') as parkert
       from innslag
     )
     update synk_side set endret = talt.endret, uendret = talt.uendret, foreldet = talt.foreldet, parkert = talt.parkert,
       ${pageKeys} = null, sist_endret = null
     from talt where synk_id = $1 and side = $2 and exists (select from side)`,
    [syncId, page],
  );
}
