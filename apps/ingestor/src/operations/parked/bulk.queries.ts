import type { Pool, PoolClient } from 'pg';
import type { Actor } from '../actions.queries.ts';
import type { DiscardReason } from './parked.queries.ts';

export interface BulkRequest {
  handling: 'SPILL_AV' | 'FORKAST';
  kode?: string | undefined;
  felt?: string | undefined;
  begrunnelse?: DiscardReason | undefined;
}

/** An action on many, as it stands. */
export interface BulkRow extends Actor {
  id: string;
  handling: 'SPILL_AV' | 'FORKAST';
  kode: string | null;
  felt: string | null;
  begrunnelse: DiscardReason | null;
  driftshandling: string;
  tilstand: 'KJORER' | 'FERDIG' | 'STOPPET' | 'FEILET';
  tilId: string;
  sisteId: string;
  antall: number;
  utfoert: number;
  fortsattParkert: number;
  aarsak: string | null;
  startet: Date;
  avsluttet: Date | null;
}

const COLUMNS = `id, handling, kode, felt, begrunnelse, hvem, klient, driftshandling, tilstand, til_id as "tilId",
  siste_id as "sisteId", antall, utfoert, fortsatt_parkert as "fortsattParkert", aarsak, startet, avsluttet`;

/** On those that wait now, none that come later. @returns undefined when one is running */
export async function insertBulk(
  db: PoolClient,
  { handling, kode: code, felt: field, begrunnelse: reason }: BulkRequest,
  { hvem: who, klient: client }: Actor,
  action: string,
): Promise<BulkRow | undefined> {
  const { rows } = await db.query<BulkRow>(
    `insert into parkert_handling (handling, kode, felt, begrunnelse, hvem, klient, driftshandling, til_id, antall)
     select $1, $2, $3, $4, $5, $6, $7, coalesce(max(id), 0), count(*) from parkert_melding
     where tilstand = 'PARKERT' and ($2::text is null or kode = $2) and ($3::text is null or felt = $3)
     on conflict do nothing returning ${COLUMNS}`,
    [handling, code ?? null, field ?? null, reason ?? null, who, client, action],
  );
  return rows[0];
}

/** The last that was asked for. */
export async function readLastBulk(db: Pool): Promise<BulkRow | undefined> {
  const { rows } = await db.query<BulkRow>(`select ${COLUMNS} from parkert_handling order by id desc limit 1`);
  return rows[0];
}

/** The one that runs, for this process to go on with; undefined when there is none, or another process is at it. */
export async function claimBulk(db: Pool, worker: string): Promise<BulkRow | undefined> {
  const { rows } = await db.query<BulkRow>(
    `update parkert_handling set arbeider = $1, fornyet = now()
     where tilstand = 'KJORER' and (arbeider is null or arbeider = $1 or fornyet < now() - interval '30 seconds')
     returning ${COLUMNS}`,
    [worker],
  );
  return rows[0];
}

/** Still at it, however long a piece takes. */
export async function renewBulk(db: Pool, worker: string): Promise<void> {
  await db.query(`update parkert_handling set fornyet = now() where tilstand = 'KJORER' and arbeider = $1`, [worker]);
}

/** For another process to go on at once. */
export async function releaseBulk(db: Pool, worker: string): Promise<void> {
  await db.query(`update parkert_handling set arbeider = null where tilstand = 'KJORER' and arbeider = $1`, [worker]);
}

/** @returns whether it still runs: somebody may have stopped it */
export async function recordProgress(
  db: Pool | PoolClient,
  id: string,
  { done = 0, stillParked = 0, last }: { done?: number; stillParked?: number; last?: string | undefined },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update parkert_handling set utfoert = utfoert + $2, fortsatt_parkert = fortsatt_parkert + $3,
       siste_id = coalesce($4, siste_id), fornyet = now()
     where id = $1 and tilstand = 'KJORER'`,
    [id, done, stillParked, last ?? null],
  );
  return rowCount !== 0;
}

/** Of the one that runs, whichever it is when no id is given. @returns it as it ended; undefined when none was running */
export async function endBulk(
  db: PoolClient,
  id: string | null,
  state: 'FERDIG' | 'STOPPET' | 'FEILET',
  reason: string | null = null,
): Promise<BulkRow | undefined> {
  const { rows } = await db.query<BulkRow>(
    `update parkert_handling set tilstand = $2, aarsak = $3, avsluttet = now()
     where ($1::bigint is null or id = $1) and tilstand = 'KJORER' returning ${COLUMNS}`,
    [id, state, reason],
  );
  return rows[0];
}
