import type { ParkingReason } from '@tiltak/avtale';
import type { Pool, PoolClient } from 'pg';

export const PARKED_STATES = ['PARKERT', 'SPILT_AV', 'FORKASTET'] as const;

/** What somebody may discard a message for. No words of their own: they could hold what the message does. */
export const DISCARD_REASONS = ['TESTMELDING', 'FEIL_HOS_KILDEN', 'ERSTATTET', 'IKKE_EN_AVTALE', 'ANNET'] as const;
export type DiscardReason = (typeof DISCARD_REASONS)[number];

/** With what nobody chose: its avtale was deleted. */
export const ALL_DISCARD_REASONS = [...DISCARD_REASONS, 'AVTALE_SLETTET'] as const;

/** Why the bytes of a message are gone. */
export const REMOVAL_REASONS = ['SPILT_AV', 'FORKASTET', 'AVTALE_SLETTET', 'FRIST'] as const;

export interface ParkedFilter {
  kode?: string | undefined;
  felt?: string | undefined;
  tilstand?: (typeof PARKED_STATES)[number] | undefined;
  /** only those whose bytes are still there */
  withBytes?: boolean | undefined;
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
  begrunnelse: (typeof ALL_DISCARD_REASONS)[number] | null;
  innholdFjernet: Date | null;
  innholdFjernetAarsak: (typeof REMOVAL_REASONS)[number] | null;
}

export interface ParkedRowWithBytes extends ParkedRow {
  nokkel: Buffer | null;
  verdi: Buffer | null;
  /** of the topic that it lay on */
  epoke: number;
  /** The timestamp of its record. When it was parked, for those from before that was kept: it can't have been written later. */
  skrevet: Date;
}

const COLUMNS = `id, topic, partisjon, kafka_offset as "offset", kode, felt, aarsak, tilstand, forsok, parkert, behandlet,
  behandlet_av as "behandletAv", begrunnelse, innhold_fjernet as "innholdFjernet",
  innhold_fjernet_aarsak as "innholdFjernetAarsak"`;

const FILTER = `($1::text is null or kode = $1) and ($2::text is null or felt = $2) and ($3::text is null or tilstand = $3)`;

/** In the order they were parked, from after `after`. */
export async function listParked(
  db: Pool,
  { kode: code, felt: field, tilstand: state, withBytes = false }: ParkedFilter,
  after: string,
  count: number,
): Promise<ParkedRow[]> {
  const { rows } = await db.query<ParkedRow>(
    `select ${COLUMNS} from parkert_melding
     where ${FILTER} and id > $4 and ($6 = false or innhold_fjernet is null) order by id limit $5`,
    [code ?? null, field ?? null, state ?? null, after, count, withBytes],
  );
  return rows;
}

export async function readParked(db: Pool | PoolClient, id: string): Promise<ParkedRowWithBytes | undefined> {
  const { rows } = await db.query<ParkedRowWithBytes>(
    `select ${COLUMNS}, nokkel, verdi, epoke, coalesce(skrevet, parkert) as skrevet from parkert_melding where id = $1`,
    [id],
  );
  return rows[0];
}

/** As much of a parked message as tells whether it can be acted on. */
export type ParkedState = Pick<ParkedRow, 'tilstand' | 'innholdFjernet'>;

/** Its state, and a lock on it until the transaction ends. */
export async function lockParked(db: PoolClient, id: string): Promise<ParkedState | undefined> {
  const { rows } = await db.query<ParkedState>(
    'select tilstand, innhold_fjernet as "innholdFjernet" from parkert_melding where id = $1 for update',
    [id],
  );
  return rows[0];
}

export async function markReplayed(db: PoolClient, id: string, who: string): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'SPILT_AV', forsok = forsok + 1, behandlet = now(), behandlet_av = $2,
       nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'SPILT_AV'
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

/** Its bytes go, unless they are gone already. */
export async function markDiscarded(db: PoolClient, id: string, who: string, reason: DiscardReason): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'FORKASTET', behandlet = now(), behandlet_av = $2, begrunnelse = $3,
       nokkel = null, verdi = null, innhold_fjernet = coalesce(innhold_fjernet, now()),
       innhold_fjernet_aarsak = coalesce(innhold_fjernet_aarsak, 'FORKASTET')
     where id = $1`,
    [id, who, reason],
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

/** What has been kept for long enough goes: see `rydd_parkerte` in the schema. */
export async function pruneParked(db: Pool): Promise<void> {
  await db.query('select rydd_parkerte()');
}

/** Seconds since the oldest that nobody has resolved was parked; 0 when there is none. */
export async function readOldestAge(db: Pool): Promise<number> {
  const { rows } = await db.query<{ age: number }>(
    `select coalesce(extract(epoch from now() - min(parkert)), 0)::float8 as age from parkert_melding
     where tilstand = 'PARKERT'`,
  );
  return rows[0]?.age ?? 0;
}
