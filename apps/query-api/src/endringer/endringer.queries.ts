import type { Lesing } from '../database/lesing.ts';
import { sporring } from '../database/lesing.ts';
import type { Posisjon } from './posisjon.ts';

/** How far the feed reaches now. */
export interface Strom {
  epoke: string;
  /** transactions before this one have had their changes removed */
  beskaaretTil: bigint;
  /** every transaction before this one has ended: what it wrote is there, and nothing more can come */
  xmin: bigint;
}

const STROM = sporring(`
  select endringsepoke() as epoke, beskaaret_til, pg_snapshot_xmin(pg_current_snapshot()) as xmin from instans`);

export async function hentStrom(lesing: Lesing): Promise<Strom> {
  const [rad] = await lesing.hent<{ epoke: string; beskaaret_til: string; xmin: string }>(STROM, []);
  if (!rad) throw new Error('The table instans is empty');
  return { epoke: rad.epoke, beskaaretTil: BigInt(rad.beskaaret_til), xmin: BigInt(rad.xmin) };
}

export interface Endringsrad {
  tx: string;
  lopenr: number;
  avtale_id: string;
  type: string;
  aarsak: string | null;
  tidspunkt: string;
}

/**
 * What comes after the position, in the order of the feed. Rows of transactions that have not ended, and of those that
 * began after one that has not, are left for later: what commits late would otherwise be passed by.
 */
const ENDRINGER = sporring(`
  select tx, lopenr, avtale_id, type, aarsak, tidspunkt from endring
  where (tx, lopenr) > ($1::xid8, $2::bigint) and tx < pg_snapshot_xmin(pg_current_snapshot())
  order by tx, lopenr limit $3`);

export function hentEndringer(lesing: Lesing, { tx, lopenr }: Posisjon, antall: number): Promise<Endringsrad[]> {
  return lesing.hent<Endringsrad>(ENDRINGER, [tx.toString(), lopenr.toString(), antall]);
}

const SISTE = sporring(`
  select tx, lopenr from endring where tx < pg_snapshot_xmin(pg_current_snapshot()) order by tx desc, lopenr desc limit 1`);

/** The last row that can be read; undefined when there is none. */
export async function hentSiste(lesing: Lesing): Promise<Posisjon | undefined> {
  const [rad] = await lesing.hent<{ tx: string; lopenr: number }>(SISTE, []);
  return rad && { tx: BigInt(rad.tx), lopenr: BigInt(rad.lopenr) };
}

export function erEtter(a: Posisjon, b: Posisjon): boolean {
  return a.tx > b.tx || (a.tx === b.tx && a.lopenr > b.lopenr);
}
