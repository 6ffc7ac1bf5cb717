import { gjaldt } from '../avtaler/avtaler.queries.ts';
import { sporring, type Lesing, type Sporring } from '../database/lesing.ts';

export interface Tiltaksrad {
  deltaker_fnr: string;
  tiltakstype: string | null;
  avtale_status: string | null;
  start_dato: string;
  slutt_dato: string | null;
  [kolonne: string]: string | null;
}

/**
 * The measures that each person is on at a date: entered into, not annulled or aborted, begun and not ended. The dates
 * and not the status decide, since the status is only recomputed each night at the source, and since the date asked
 * about need not be today.
 *
 * @param tid.gjeldendePer RFC 3339: what the system knew then, instead of what it knows now
 */
export function hentTiltak(
  lesing: Lesing,
  personidenter: string[],
  { dato, gjeldendePer }: { dato: string; gjeldendePer?: string | undefined },
): Promise<Tiltaksrad[]> {
  return gjeldendePer === undefined
    ? lesing.hent<Tiltaksrad>(TILTAK, [personidenter, dato])
    : lesing.hent<Tiltaksrad>(TILTAK_DA, [personidenter, dato, gjeldendePer]);
}

const TILTAK = tiltakFra('avtale_synlig');
const TILTAK_DA = tiltakFra('avtale_versjon_synlig da', `and ${gjaldt('$3::timestamptz')}`);

function tiltakFra(kilde: string, vilkaar = ''): Sporring {
  return sporring(`
  select deltaker_fnr, tiltakstype, avtale_status, start_dato, slutt_dato
  from ${kilde}
  where deltaker_fnr = any($1::text[])
    and avtale_inngaatt is not null and annullert_tidspunkt is null
    and avtale_status is distinct from 'ANNULLERT' and avtale_status is distinct from 'AVBRUTT'
    and start_dato <= $2::date and (slutt_dato >= $2::date or slutt_dato is null) ${vilkaar}
  order by start_dato, slutt_dato, avtale_id`);
}
