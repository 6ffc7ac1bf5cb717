import { kontekst, type Token } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';

export const HANDLINGER = [
  'VIS_PARKERT',
  'SPILL_AV',
  'SPILL_AV_FLERE',
  'FORKAST',
  'START_GJENOPPBYGGING',
  'STOPP_GJENOPPBYGGING',
  'AVSTEM',
  'RETT_FREMMED',
  'RETT_MANGLER',
  'RETT_UTDATERT',
] as const;
export type Handling = (typeof HANDLINGER)[number];

/** Who does something: as named by the token, and by which client. */
export interface Hvem {
  hvem: string;
  klient: string;
}

export function hvemI({ preferred_username: navn, oid, azp }: Token): Hvem {
  const hvem = [navn, oid].find((verdi): verdi is string => typeof verdi === 'string' && verdi !== '');
  return { hvem: hvem ?? azp, klient: azp };
}

export interface Driftshandling extends Hvem {
  id: string;
  tidspunkt: Date;
  handling: string;
  gjelder: string | null;
  antall: number | null;
  callId: string;
}

interface NyHandling {
  handling: Handling;
  /** what it was done to; never personal data */
  gjelder: string | null;
  /** null: not known before it is done, see `settAntall` */
  antall: number | null;
}

/** Written in the same transaction as what was done, or before it: nothing is done without a trace. */
export async function noter(db: Pool | PoolClient, { hvem, klient }: Hvem, ny: NyHandling): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into driftshandling (hvem, klient, handling, gjelder, antall, call_id) values ($1, $2, $3, $4, $5, $6)
     returning id`,
    [hvem, klient, ny.handling, ny.gjelder, ny.antall, kontekst()?.callId ?? ''],
  );
  return rows[0]?.id ?? '';
}

export async function settAntall(db: Pool, id: string, antall: number): Promise<void> {
  await db.query('update driftshandling set antall = $2 where id = $1', [id, antall]);
}

/** Newest first. */
export async function lesHandlinger(db: Pool, foer: string | undefined, antall: number): Promise<Driftshandling[]> {
  const { rows } = await db.query<Driftshandling>(
    `select id, tidspunkt, hvem, klient, handling, gjelder, antall, call_id as "callId" from driftshandling
     where $1::bigint is null or id < $1 order by id desc limit $2`,
    [foer ?? null, antall],
  );
  return rows;
}
