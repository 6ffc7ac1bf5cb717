import type { Pool, PoolClient } from 'pg';
import type { KontraktDto } from './contract.dto.ts';
import type { UnknownFields } from './remarks.ts';
import { STATE, type SyncFailure } from './sync.queries.ts';

export interface ContractRow extends KontraktDto {
  ukjenteFelter: UnknownFields;
  sisteFeil: SyncFailure | null;
  /** client id that the contract belongs to */
  klient: string;
  opprettet: Date;
  hjerteslag: Date | null;
  /** since the last heartbeat, or since the contract, when there was none; seconds by the database's clock */
  secondsSince: number;
}

/** The adapter's contract and last heartbeat; undefined before the first contract. */
export async function readContract(db: Pool | PoolClient): Promise<ContractRow | undefined> {
  const { rows } = await db.query<ContractRow>(
    `select adapter_id as "adapterId", klient, heartbeat_intervall_minutter as "heartbeatIntervallMinutter",
       full_synk_intervall_dager as "fullSynkIntervallDager", delta_synk as "deltaSynk", ressurser, opprettet, hjerteslag,
       ukjente_felter as "ukjenteFelter", siste_feil as "sisteFeil",
       extract(epoch from clock_timestamp() - coalesce(hjerteslag, opprettet))::float as "secondsSince"
     from adapter`,
  );
  return rows[0];
}

/** @returns whether it was stored: not when the contract belongs to another client */
export async function saveContract(db: Pool, client: string, contract: KontraktDto): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into adapter (adapter_id, klient, heartbeat_intervall_minutter, full_synk_intervall_dager, delta_synk, ressurser,
       ukjente_felter)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (id) do update set adapter_id = excluded.adapter_id, delta_synk = excluded.delta_synk,
       heartbeat_intervall_minutter = excluded.heartbeat_intervall_minutter, endret = now(),
       full_synk_intervall_dager = excluded.full_synk_intervall_dager, ressurser = excluded.ressurser,
       ukjente_felter = excluded.ukjente_felter
     where adapter.klient = excluded.klient`,
    [
      contract.adapterId,
      client,
      contract.heartbeatIntervallMinutter,
      contract.fullSynkIntervallDager,
      contract.deltaSynk,
      contract.ressurser,
      contract.ukjenteFelter ?? 'MELD',
    ],
  );
  return rowCount === 1;
}

/** @returns the client that it belonged to; undefined when there is none of that adapter */
export async function deleteContract(db: PoolClient, adapterId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ klient: string }>('delete from adapter where adapter_id = $1 returning klient', [
    adapterId,
  ]);
  return rows[0]?.klient;
}

/** Of the client's own contract: it may have passed to another since it was looked at. */
export async function setHeartbeat(db: Pool, client: string): Promise<void> {
  await db.query('update adapter set hjerteslag = clock_timestamp() where klient = $1', [client]);
}

/** Of each resource of the contract: the last full sync that was completed, and whether the next one should have been by now. */
export async function readLastFullSyncs(
  db: Pool,
): Promise<{ ressurs: string; sisteFullSynk: Date | null; forfalt: boolean }[]> {
  const { rows } = await db.query<{ ressurs: string; sisteFullSynk: Date | null; forfalt: boolean }>(
    `select r.ressurs, siste as "sisteFullSynk",
       clock_timestamp() > coalesce(siste, opprettet) + make_interval(days => full_synk_intervall_dager) as forfalt
     from adapter cross join unnest(ressurser) with ordinality as r (ressurs, nr) cross join lateral (
       select max(avsluttet) as siste from synk s
       where type = 'FULL' and s.ressurs = r.ressurs and ${STATE} = 'FULLFOERT') s
     order by r.nr`,
  );
  return rows;
}
