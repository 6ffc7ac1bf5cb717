import { KODEVERK, UKJENT } from '@tiltak/avtale';
import type { Lesing, Sporring } from '../database/lesing.ts';
import { sporring, valgtSporring } from '../database/lesing.ts';
import { FELTER, HEL_AVTALE, kolonner, type Rad, type Utvalg } from './felter.ts';

/** What to look for; everything given must hold. Coded values are the published ones. */
export interface Sokefilter {
  personidenter?: string[] | undefined;
  bedriftsnumre?: string[] | undefined;
  avtaleIder?: string[] | undefined;
  tiltakstyper?: string[] | undefined;
  statuser?: string[] | undefined;
  /** both ends included, YYYY-MM-DD; an avtale without an end goes on, one without a start overlaps nothing */
  periode?: { fra: string; til: string } | undefined;
  /** exclusive, RFC 3339 */
  endretEtter?: string | undefined;
  deltakerId?: string | undefined;
  /** RFC 3339: what the system knew then, instead of what it knows now */
  gjeldendePer?: string | undefined;
}

export interface Side {
  /** the last avtaleId of the page before */
  etter?: string | undefined;
  antall: number;
}

/** A page of avtaler in the order of avtaleId, which never changes: no avtale is skipped or given twice by a change. */
export async function sok(lesing: Lesing, filter: Sokefilter, felter: readonly Utvalg[], side: Side): Promise<Rad[]> {
  const { vilkaar, values } = sokevilkaar(filter);
  if (side.etter !== undefined) vilkaar.push(`avtale_id > $${values.push(side.etter)}`);
  if (filter.gjeldendePer !== undefined) vilkaar.push(gjaldt(`$${values.push(filter.gjeldendePer)}::timestamptz`));
  const fra = filter.gjeldendePer === undefined ? 'avtale_synlig' : 'avtale_versjon_synlig da';
  const hvor = vilkaar.length > 0 ? `where ${vilkaar.join(' and ')}` : '';
  const text = `select ${kolonner(felter)} from ${fra} ${hvor} order by avtale_id limit $${values.push(side.antall)}`;
  return lesing.hent<Rad>(sporringFor(felter, text), values);
}

/** Of a version, `da` in the statement: it was the last one known at that moment, and was to be seen. */
export function gjaldt(da: string): string {
  return `laert <= ${da} and not feilregistrert and not exists (
    select from avtale_versjon_synlig senere
    where senere.avtale_id = da.avtale_id and senere.lopenr > da.lopenr and senere.laert <= ${da})`;
}

function sokevilkaar(filter: Sokefilter): { vilkaar: string[]; values: unknown[] } {
  const vilkaar: string[] = [];
  const values: unknown[] = [];
  const verdi = (v: unknown): string => `$${values.push(v)}`;
  if (filter.personidenter) vilkaar.push(`deltaker_fnr = any(${verdi(filter.personidenter)}::text[])`);
  if (filter.deltakerId) vilkaar.push(`deltaker_id = ${verdi(filter.deltakerId)}`);
  if (filter.bedriftsnumre) vilkaar.push(`bedrift_nr = any(${verdi(filter.bedriftsnumre)}::text[])`);
  if (filter.avtaleIder) vilkaar.push(`avtale_id = any(${verdi(filter.avtaleIder)}::uuid[])`);
  if (filter.tiltakstyper) vilkaar.push(kode('tiltakstype', KODEVERK.tiltakstype, filter.tiltakstyper, verdi));
  if (filter.statuser) vilkaar.push(kode('avtale_status', KODEVERK.avtaleStatus, filter.statuser, verdi));
  if (filter.periode) {
    vilkaar.push(`start_dato <= ${verdi(filter.periode.til)}::date`);
    vilkaar.push(`(slutt_dato >= ${verdi(filter.periode.fra)}::date or slutt_dato is null)`);
  }
  if (filter.endretEtter) vilkaar.push(`sist_endret > ${verdi(filter.endretEtter)}::timestamptz`);
  return { vilkaar, values };
}

/** `UKJENT` stands for every text that this release does not know. */
function kode<T extends string>(
  kolonne: string,
  kodeverk: { tilKilde: (verdi: T) => string; kjente: readonly string[] },
  verdier: string[],
  verdi: (v: unknown) => string,
): string {
  const kjente = verdier.filter((v) => v !== UKJENT).map((v) => kodeverk.tilKilde(v as T));
  const treff = `${kolonne} = any(${verdi(kjente)}::text[])`;
  return verdier.includes(UKJENT) ? `(${treff} or ${kolonne} <> all(${verdi(kodeverk.kjente)}::text[]))` : treff;
}

export async function hentMedId(lesing: Lesing, avtaleId: string, felter: readonly Utvalg[]): Promise<Rad | undefined> {
  const [rad] = await lesing.hent<Rad>(enkel(felter, 'avtale_id = $1'), [avtaleId]);
  return rad;
}

/** The source numbers avtaler uniquely; should two share a number, the one changed last is given. */
export async function hentMedNummer(
  lesing: Lesing,
  avtaleNr: number,
  felter: readonly Utvalg[],
): Promise<Rad | undefined> {
  const [rad] = await lesing.hent<Rad>(enkel(felter, 'avtale_nr = $1 order by sist_endret desc, avtale_id limit 1'), [
    avtaleNr,
  ]);
  return rad;
}

function enkel(felter: readonly Utvalg[], hvor: string): Sporring {
  return sporringFor(felter, `select ${kolonner(felter)} from avtale_synlig where ${hvor}`);
}

function sporringFor(felter: readonly Utvalg[], text: string): Sporring {
  return felter === HEL_AVTALE || felter === FELTER ? sporring(text) : valgtSporring(text);
}

/** A version of an avtale, with when it was learned and its number among all versions. */
export type Versjonsrad = Rad & { laert: string; lopenr: number };

/** The versions that were to be seen, oldest first. */
export function hentVersjoner(
  lesing: Lesing,
  avtaleId: string,
  side: { etter: string; antall: number },
): Promise<Versjonsrad[]> {
  const text = `select ${kolonner(FELTER)}, laert, lopenr from avtale_versjon_synlig
    where avtale_id = $1 and lopenr > $2 and not feilregistrert order by lopenr limit $3`;
  return lesing.hent<Versjonsrad>(sporring(text), [avtaleId, side.etter, side.antall]);
}
