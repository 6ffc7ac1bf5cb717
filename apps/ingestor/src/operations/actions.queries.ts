import { clientOf, currentContext, navIdentOf, type Token } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';

export const ACTIONS = [
  'VIS_PARKERT',
  'SPILL_AV',
  'SPILL_AV_FLERE',
  'FORKAST',
  'PARKER_STANSET',
  'SPILL_AV_SAMLET',
  'FORKAST_SAMLET',
  'STOPP_SAMLET',
  'FRIGI_KONTRAKT',
  'START_GJENOPPBYGGING',
  'RAPPORTER_GJENOPPBYGGING',
  'STOPP_GJENOPPBYGGING',
  'BEKREFT_GJENOPPBYGGING',
  'VIS_GJENOPPBYGDE_NOEKLER',
  'AVSTEM',
  'RETT_FREMMED',
  'RETT_MANGLER',
  'RETT_UTDATERT',
  'KONTROLLER_RELASJONER',
  'RETT_RELASJONER',
  'VIS_MANGLENDE_VIRKSOMHETER',
  'VIS_VIRKSOMHETER_UTEN_HOVEDENHET',
] as const;
export type Action = (typeof ACTIONS)[number];

/** Who does something: the person's Nav ident, and the client that they have logged in to. */
export interface Actor {
  hvem: string;
  klient: string;
}

/** Of a request that the guard let through as of somebody on duty. */
export function actorOf(token: Token): Actor {
  const who = token.issuedBy === 'entra' ? navIdentOf(token) : undefined;
  if (who === undefined) throw new Error('What nobody can be named for must not be done');
  return { hvem: who, klient: clientOf(token) };
}

/** What the ingestor does by itself, because it is time. */
export const bySchedule = (client: string): Actor => ({ hvem: 'tidsplan', klient: client });

export interface ActionRow extends Actor {
  id: string;
  tidspunkt: Date;
  handling: string;
  gjelder: string | null;
  antall: number | null;
  callId: string;
}

interface NewAction {
  handling: Action;
  /** what it was done to; never personal data */
  gjelder: string | null;
  /** null: not known before it is done, see `setActionCount` */
  antall: number | null;
}

/** Written in the same transaction as what was done, or before it: nothing is done without a trace. */
export async function recordAction(
  db: Pool | PoolClient,
  { hvem: who, klient: client }: Actor,
  action: NewAction,
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into driftshandling (hvem, klient, handling, gjelder, antall, call_id) values ($1, $2, $3, $4, $5, $6)
     returning id`,
    [who, client, action.handling, action.gjelder, action.antall, currentContext()?.callId ?? ''],
  );
  return rows[0]?.id ?? '';
}

/** Once: the row itself nobody can change. */
export async function setActionCount(db: Pool | PoolClient, id: string, count: number): Promise<void> {
  await db.query('select fullfoer_driftshandling($1, $2)', [id, count]);
}

/** Newest first. */
export async function readActions(db: Pool, before: string | undefined, count: number): Promise<ActionRow[]> {
  const { rows } = await db.query<ActionRow>(
    `select id, tidspunkt, hvem, klient, handling, gjelder, antall, call_id as "callId" from driftshandling
     where $1::bigint is null or id < $1 order by id desc limit $2`,
    [before ?? null, count],
  );
  return rows;
}
