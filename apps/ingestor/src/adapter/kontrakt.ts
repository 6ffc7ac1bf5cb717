import { fellesFeil, Problem, type Token } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { HjerteslagDto } from './kontrakt.dto.ts';
import { lesKontrakt, type Kontraktrad } from './kontrakt.queries.ts';

/** @throws Problem 409 when there is no contract, 403 when it is another client's */
export async function krevKontrakt(pool: Pool, { azp }: Token): Promise<Kontraktrad> {
  const kontrakt = await lesKontrakt(pool);
  if (!kontrakt) throw new Problem(fellesFeil.KONFLIKT, 'There is no contract: PUT /adapter/v1/kontrakt first');
  if (kontrakt.klient !== azp) throw annensKontrakt();
  return kontrakt;
}

export function annensKontrakt(): Problem {
  return new Problem(fellesFeil.IKKE_TILGANG, 'The contract belongs to another client');
}

export function vurderHjerteslag(kontrakt: Kontraktrad): HjerteslagDto {
  const intervaller = kontrakt.sekunderSiden / 60 / kontrakt.heartbeatIntervallMinutter;
  return {
    tilstand: intervaller > 2 ? 'STANSET' : intervaller > 1 ? 'FORSINKET' : 'OK',
    sist: kontrakt.hjerteslag?.toISOString() ?? null,
  };
}
