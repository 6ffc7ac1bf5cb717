import { LOCKS } from '@tiltak/database';
import type { Pool, PoolClient } from 'pg';
import { readEpoch } from '../kafka/epochs.queries.ts';
import type { TopicDescription } from '../kafka/topic-admin.ts';
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

export interface SyncRow {
  synkId: string;
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

const READ_SYNC = `
  select s.synk_id as "synkId", s.type, s.antall_sider as "antallSider", s.antall_totalt as "antallTotalt",
    case when s.tilstand = 'MOTTAR' and uten_side >= $2 then 'UTLOEPT' else s.tilstand end as tilstand,
    s.tilstand = 'MOTTAR' and uten_side >= $1 and uten_side < $2 as stanset,
    sider::int as "mottatteSider", ressurser::int as "mottatteRessurser", s.startet, siste as "sisteSide", s.avsluttet,
    s.skal_slettes as "skalSlettes", s.start_offset as "startOffset", s.epoke, s.bekreftet_av as "bekreftetAv"
  from synk s
  cross join lateral (
    select count(*) as sider, coalesce(sum(antall), 0) as ressurser, coalesce(max(mottatt), s.startet) as siste
    from synk_side where synk_id = s.synk_id
  ) side
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
 * One at a time makes syncs: the newer full sync replaces the one before it, whatever that was doing.
 *
 * @param topic its name, and where it ends. Asked for only when no page of the older one is under way any more: one that
 *   came to lie behind it would be taken for a change during the newer sync, and what it held would not be deleted.
 */
export async function createSync(
  db: PoolClient,
  page: SyncPage,
  topic: { name: string; describe: () => Promise<TopicDescription> },
): Promise<void> {
  const { synkId: syncId, type, antallSider: pageCount, antallTotalt: totalCount } = page;
  await db.query(`select pg_advisory_xact_lock(${LOCKS.NEW_SYNC})`);
  const { rowCount } = await db.query('select from synk where synk_id = $1', [syncId]);
  if (rowCount !== 0) return;
  if (type === 'FULL') await replaceFull(db);
  const { id, partitions } = await topic.describe();
  const ends = partitions.map(({ partition, end }) => [partition, end]);
  const epoch = await readEpoch(db, topic.name, id);
  await db.query(
    'insert into synk (synk_id, type, antall_sider, antall_totalt, start_offset, epoke) values ($1, $2, $3, $4, $5, $6)',
    [syncId, type, pageCount, totalCount, JSON.stringify(Object.fromEntries(ends)), epoch],
  );
}

async function replaceFull(db: PoolClient): Promise<void> {
  const { rows } = await db.query<{ synk_id: string }>(
    `update synk set tilstand = 'ERSTATTET', avsluttet = clock_timestamp()
     where type = 'FULL' and tilstand in ('MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE') returning synk_id`,
  );
  await deleteSyncAvtaler(
    db,
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
  { synkId: syncId, side: page, fingerprint, messages }: SyncPage,
): Promise<Buffer | undefined> {
  const { rowCount } = await db.query(
    'insert into synk_side (synk_id, side, avtrykk, antall) values ($1, $2, $3, $4) on conflict do nothing',
    [syncId, page, fingerprint, messages.length],
  );
  if (rowCount === 1) return undefined;
  const { rows } = await db.query<{ avtrykk: Buffer }>(
    'select avtrykk from synk_side where synk_id = $1 and side = $2',
    [syncId, page],
  );
  return rows[0]?.avtrykk;
}

export async function insertSyncAvtaler(db: PoolClient, syncId: string, avtaleIder: string[]): Promise<void> {
  // As one text: pg looks at each letter of each element for what must be escaped, which a UUID has none of.
  const ids = `{${avtaleIder.join(',')}}`;
  await db.query('insert into synk_avtale select $1, unnest($2::uuid[]) on conflict do nothing', [syncId, ids]);
}

export async function deleteSyncAvtaler(db: PoolClient, syncIds: string[]): Promise<void> {
  await db.query('delete from synk_avtale where synk_id = any($1)', [syncIds]);
}

/** Of a sync whose row is locked. A state that ends the sync is given the time. */
export async function setSyncState(db: PoolClient, syncId: string, state: SyncState): Promise<void> {
  const end = state !== 'SLETTER' && state !== 'VENTER_PAA_BEKREFTELSE';
  await db.query(
    'update synk set tilstand = $2, avsluttet = case when $3 then clock_timestamp() end where synk_id = $1',
    [syncId, state, end],
  );
  if (end) await deleteSyncAvtaler(db, [syncId]);
}

/** Syncs that ended a month ago, but not the last full one that was completed: what is overdue is reckoned from it. */
export async function deleteOldSyncs(db: Pool): Promise<void> {
  await db.query(
    `delete from synk where avsluttet < now() - interval '30 days' and synk_id is distinct from
       (select synk_id from synk where type = 'FULL' and tilstand = 'FULLFOERT' order by avsluttet desc limit 1)`,
  );
}
