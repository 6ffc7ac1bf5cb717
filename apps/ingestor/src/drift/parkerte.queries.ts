import type { Pool, PoolClient } from 'pg';

export const TILSTANDER = ['PARKERT', 'SPILT_AV', 'FORKASTET'] as const;

export interface Filter {
  kode?: string | undefined;
  felt?: string | undefined;
  tilstand?: (typeof TILSTANDER)[number] | undefined;
}

/** A parked message without its bytes. */
export interface Parkertrad {
  id: string;
  topic: string;
  partisjon: number;
  offset: string;
  kode: string;
  felt: string | null;
  aarsak: string;
  tilstand: (typeof TILSTANDER)[number];
  forsok: number;
  parkert: Date;
  behandlet: Date | null;
  behandletAv: string | null;
  begrunnelse: string | null;
}

export interface RaaParkert extends Parkertrad {
  nokkel: Buffer | null;
  verdi: Buffer | null;
}

const KOLONNER = `id, topic, partisjon, kafka_offset as "offset", kode, felt, aarsak, tilstand, forsok, parkert, behandlet,
  behandlet_av as "behandletAv", begrunnelse`;

const FILTER = `($1::text is null or kode = $1) and ($2::text is null or felt = $2) and ($3::text is null or tilstand = $3)`;

/** In the order they were parked, from after `etter`. */
export async function listParkerte(
  db: Pool,
  { kode, felt, tilstand }: Filter,
  etter: string,
  antall: number,
): Promise<Parkertrad[]> {
  const { rows } = await db.query<Parkertrad>(
    `select ${KOLONNER} from parkert_melding where ${FILTER} and id > $4 order by id limit $5`,
    [kode ?? null, felt ?? null, tilstand ?? null, etter, antall],
  );
  return rows;
}

export async function hentParkert(db: Pool | PoolClient, id: string): Promise<RaaParkert | undefined> {
  const { rows } = await db.query<RaaParkert>(`select ${KOLONNER}, nokkel, verdi from parkert_melding where id = $1`, [
    id,
  ]);
  return rows[0];
}

/** Its state, and a lock on it until the transaction ends. */
export async function laasParkert(db: PoolClient, id: string): Promise<Parkertrad['tilstand'] | undefined> {
  const { rows } = await db.query<Pick<Parkertrad, 'tilstand'>>(
    'select tilstand from parkert_melding where id = $1 for update',
    [id],
  );
  return rows[0]?.tilstand;
}

export async function settSpiltAv(db: PoolClient, id: string, hvem: string): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'SPILT_AV', forsok = forsok + 1, behandlet = now(), behandlet_av = $2
     where id = $1`,
    [id, hvem],
  );
}

/** Tried in vain, for the reason given. One that somebody else is done with by now stays so. */
export async function settFortsattParkert(
  db: PoolClient | Pool,
  id: string,
  hvem: string,
  { kode, felt, aarsak }: Pick<Parkertrad, 'kode' | 'felt' | 'aarsak'>,
): Promise<void> {
  await db.query(
    `update parkert_melding set forsok = forsok + 1, behandlet = now(), behandlet_av = $2, kode = $3, felt = $4, aarsak = $5
     where id = $1 and tilstand = 'PARKERT'`,
    [id, hvem, kode, felt, aarsak],
  );
}

export async function settForkastet(db: PoolClient, id: string, hvem: string, begrunnelse: string): Promise<void> {
  await db.query(
    `update parkert_melding set tilstand = 'FORKASTET', behandlet = now(), behandlet_av = $2, begrunnelse = $3
     where id = $1`,
    [id, hvem, begrunnelse],
  );
}

export interface Parkerttelling {
  kode: string;
  felt: string | null;
  antall: number;
}

/** Those that wait, by reason. */
export async function tellParkerte(db: Pool): Promise<Parkerttelling[]> {
  const { rows } = await db.query<Parkerttelling>(
    `select kode, felt, count(*)::int as antall from parkert_melding where tilstand = 'PARKERT'
     group by kode, felt order by antall desc, kode, felt`,
  );
  return rows;
}
