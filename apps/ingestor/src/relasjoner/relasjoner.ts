import { relasjonerFor, type Ledd } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { fjernRelasjoner, leggTilRelasjoner, lesLedd, lesRelasjoner, type LagretRelasjon } from './relasjoner.sql.ts';

/** How the stored relations of some participants differ from those computed from their avtaler. */
export interface Relasjonsavvik {
  mangler: LagretRelasjon[];
  overfloedige: LagretRelasjon[];
}

/** Right when the participants are locked, or when everything is read from one snapshot. */
export async function finnAvvik(db: PoolClient, deltakerIder: readonly string[]): Promise<Relasjonsavvik> {
  const avtaler = await lesLedd(db, deltakerIder);
  const lagret = new Map((await lesRelasjoner(db, deltakerIder)).map((relasjon) => [noekkel(relasjon), relasjon]));
  const mangler = beregn(avtaler).filter((relasjon) => !lagret.delete(noekkel(relasjon)));
  return { mangler, overfloedige: [...lagret.values()] };
}

/**
 * Makes the stored relations of these participants, who must be locked, those that follow from their avtaler.
 *
 * @returns the avtaler that got or lost a link
 */
export async function rettRelasjoner(db: PoolClient, deltakerIder: readonly string[]): Promise<Set<string>> {
  const { mangler, overfloedige } = await finnAvvik(db, deltakerIder);
  await fjernRelasjoner(db, overfloedige);
  await leggTilRelasjoner(db, mangler);
  return new Set([...mangler, ...overfloedige].map(({ fra }) => fra));
}

function beregn(avtaler: readonly Ledd[]): LagretRelasjon[] {
  const perDeltaker = Map.groupBy(avtaler, ({ deltakerId }) => deltakerId);
  return [...perDeltaker].flatMap(([deltakerId, deltakers]) =>
    relasjonerFor(deltakers).map((relasjon) => ({ deltakerId, ...relasjon })),
  );
}

function noekkel({ deltakerId, fra, relasjon, til }: LagretRelasjon): string {
  return `${deltakerId} ${fra} ${relasjon} ${til}`;
}
