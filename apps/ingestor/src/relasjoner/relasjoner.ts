import { relasjonerFor } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { fjernRelasjoner, leggTilRelasjoner, lesLedd, lesRelasjoner, type LagretRelasjon } from './relasjoner.sql.ts';

/** How the stored relations of some participants differ from those computed from their avtaler. */
export interface Relasjonsavvik {
  mangler: LagretRelasjon[];
  overfloedige: LagretRelasjon[];
}

/** Right when the participants are locked, or when everything is read from one snapshot. */
export async function finnAvvik(db: PoolClient, deltakerIder: readonly string[]): Promise<Relasjonsavvik> {
  const avvik: Relasjonsavvik = { mangler: [], overfloedige: [] };
  for await (const { mangler, overfloedige } of avvikI(db, deltakerIder)) {
    avvik.mangler.push(...mangler);
    avvik.overfloedige.push(...overfloedige);
  }
  return avvik;
}

/**
 * Makes the stored relations of these participants, who must be locked, those that follow from their avtaler.
 *
 * @returns the avtaler that got or lost a link
 */
export async function rettRelasjoner(db: PoolClient, deltakerIder: readonly string[]): Promise<Set<string>> {
  const endret = new Set<string>();
  for await (const { mangler, overfloedige } of avvikI(db, deltakerIder)) {
    await fjernRelasjoner(db, overfloedige);
    await leggTilRelasjoner(db, mangler);
    for (const { fra } of mangler) endret.add(fra);
    for (const { fra } of overfloedige) endret.add(fra);
  }
  return endret;
}

/** Bit by bit: relations grow with the square of a participant's avtaler, and memory must not. */
async function* avvikI(db: PoolClient, deltakerIder: readonly string[]): AsyncGenerator<Relasjonsavvik> {
  const avtaler = Map.groupBy(await lesLedd(db, deltakerIder), ({ deltakerId }) => deltakerId);
  for (const bolk of bolker(deltakerIder, (deltakerId) => (avtaler.get(deltakerId)?.length ?? 0) ** 2)) {
    const lagret = new Map((await lesRelasjoner(db, bolk)).map((relasjon) => [noekkel(relasjon), relasjon]));
    const mangler = bolk
      .flatMap((deltakerId) =>
        relasjonerFor(avtaler.get(deltakerId) ?? []).map((relasjon) => ({ deltakerId, ...relasjon })),
      )
      .filter((relasjon) => !lagret.delete(noekkel(relasjon)));
    yield { mangler, overfloedige: [...lagret.values()] };
  }
}

const MAKS_RELASJONER = 50_000;

function* bolker(deltakerIder: readonly string[], antall: (deltakerId: string) => number): Generator<string[]> {
  let bolk: string[] = [];
  let sum = 0;
  for (const deltakerId of deltakerIder) {
    if (bolk.length > 0 && sum + antall(deltakerId) > MAKS_RELASJONER) {
      yield bolk;
      [bolk, sum] = [[], 0];
    }
    bolk.push(deltakerId);
    sum += antall(deltakerId);
  }
  if (bolk.length > 0) yield bolk;
}

function noekkel({ deltakerId, fra, relasjon, til }: LagretRelasjon): string {
  return `${deltakerId} ${fra} ${relasjon} ${til}`;
}
