import type { ParkingReason } from '@tiltak/avtale';
import type { Pool, PoolClient } from 'pg';

export const PARKED_STATES = ['PARKERT', 'SPILT_AV', 'FORKASTET'] as const;

export interface ParkedFilter {
  kode?: string | undefined;
  felt?: string | undefined;
  tilstand?: (typeof PARKED_STATES)[number] | undefined;
}

/** A parked message without its bytes. */
export interface ParkedRow {
  id: string;
  topic: string;
  partisjon: number;
  offset: string;
  kode: string;
  felt: string | null;
  aarsak: string;
  tilstand: (typeof PARKED_STATES)[number];
  forsok: number;
  parkert: Date;
  behandlet: Date | null;
  behandletAv: string | null;
  begrunnelse: string | null;
}

export interface ParkedRowWithBytes extends ParkedRow {
  nokkel: Buffer | null;
  verdi: Buffer | null;
  /** The timestamp of its record. When it was parked, for those from before that was kept: it can't have been written later. */
  skrevet: Date;
}

const COLUMNS = `id, topic, partisjon, kafka_offset as "offset", kode, felt, aarsak, tilstand, forsok, parkert, behandlet,
  behandlet_av as "behandletAv", begrunnelse`;

const FILTER = `($1::text is null or kode = $1) and ($2::text is null or felt = $2) and ($3::text is null or tilstand = $3)`;

/** In the order they were parked, from after `after`. */
export async function listParked(
  db: Pool,
  { kode: code, felt: field, tilstand: state }: ParkedFilter,
  after: string,
  count: number,
): Promise<ParkedRow[]> {
  const { rows } = await db.query<ParkedRow>(
    `select ${COLUMNS} from parkert_melding where ${FILTER} and id > $4 order by id limit $5`,
    [code ?? null, field ?? null, state ?? null, after, count],
  );
  return rows;
}

export async function readParked(db: Pool | PoolClient, id: string): Promise<ParkedRowWithBytes | undefined> {
  const { rows } = await db.query<ParkedRowWithBytes>(
    `select ${COLUMNS}, nokkel, verdi, coalesce(skrevet, parkert) as skrevet from parkert_melding where id = $1`,
    [id],
  );
  return rows[0];
}

/** Its state, and a lock on it until the transaction ends. */
export async function lockParked(db: PoolClient, id: string): Promise<Pick<ParkedRow, 'tilstand'> | undefined> {
  const { rows } = await db.query<Pick<ParkedRow, 'tilstand'>>(
    'select tilstand from parkert_melding where id = $1 for update',
    [id],
  );
  return rows[0];
}

export async function markReplayed(db: PoolClient, id: string, who: string): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'SPILT_AV', forsok = forsok + 1, behandlet = now(), behandlet_av = $2
     where id = $1`,
    [id, who],
  );
}

/** Tried in vain, for the reason given. One that somebody else is done with by now stays so. */
export async function markStillParked(
  db: PoolClient,
  id: string,
  who: string,
  { code, field, reason }: Omit<ParkingReason, 'code'> & { code: string },
): Promise<void> {
  await db.query(
    `update parkert_melding set forsok = forsok + 1, behandlet = now(), behandlet_av = $2, kode = $3, felt = $4, aarsak = $5
     where id = $1 and tilstand = 'PARKERT'`,
    [id, who, code, field, reason],
  );
}

export async function markDiscarded(db: PoolClient, id: string, who: string, begrunnelse: string): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'FORKASTET', behandlet = now(), behandlet_av = $2, begrunnelse = $3
     where id = $1`,
    [id, who, begrunnelse],
  );
}

export interface ParkedCount {
  kode: string;
  felt: string | null;
  antall: number;
}

/** Those that wait, by reason. */
export async function countParked(db: Pool): Promise<ParkedCount[]> {
  const { rows } = await db.query<ParkedCount>(
    `select kode, felt, count(*)::int as antall from parkert_melding where tilstand = 'PARKERT'
     group by kode, felt order by antall desc, kode, felt`,
  );
  return rows;
}
