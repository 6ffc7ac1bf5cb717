import { relationsFor } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import {
  deleteRelations,
  insertRelations,
  readRelationAvtaler,
  readRelations,
  type StoredRelation,
} from './relations.queries.ts';

/** How the stored relations of some participants differ from those computed from their avtaler. */
export interface RelationDeviations {
  missing: StoredRelation[];
  superfluous: StoredRelation[];
}

/** Right when the participants are locked, or when everything is read from one snapshot. */
export async function findDeviations(db: PoolClient, deltakerIder: readonly string[]): Promise<RelationDeviations> {
  const deviations: RelationDeviations = { missing: [], superfluous: [] };
  for await (const { missing, superfluous } of deviationsIn(db, deltakerIder)) {
    deviations.missing.push(...missing);
    deviations.superfluous.push(...superfluous);
  }
  return deviations;
}

/**
 * Makes the stored relations of these participants, who must be locked, those that follow from their avtaler.
 *
 * @returns the avtaler that got or lost a link
 */
export async function repairRelations(db: PoolClient, deltakerIder: readonly string[]): Promise<Set<string>> {
  const changed = new Set<string>();
  for await (const { missing, superfluous } of deviationsIn(db, deltakerIder)) {
    await deleteRelations(db, superfluous);
    await insertRelations(db, missing);
    for (const { fra } of [...missing, ...superfluous]) changed.add(fra);
  }
  return changed;
}

/** Bit by bit: relations grow with the square of a participant's avtaler, and memory must not. */
async function* deviationsIn(db: PoolClient, deltakerIder: readonly string[]): AsyncGenerator<RelationDeviations> {
  const avtaler = Map.groupBy(await readRelationAvtaler(db, deltakerIder), ({ deltakerId }) => deltakerId);
  for (const chunk of chunks(deltakerIder, (deltakerId) => (avtaler.get(deltakerId)?.length ?? 0) ** 2)) {
    const stored = new Map((await readRelations(db, chunk)).map((relation) => [relationKey(relation), relation]));
    const missing = chunk
      .flatMap((deltakerId) =>
        relationsFor(avtaler.get(deltakerId) ?? []).map((relation) => ({ deltakerId, ...relation })),
      )
      .filter((relation) => !stored.delete(relationKey(relation)));
    yield { missing, superfluous: [...stored.values()] };
  }
}

const MAX_RELATIONS = 50_000;

function* chunks(deltakerIder: readonly string[], count: (deltakerId: string) => number): Generator<string[]> {
  let chunk: string[] = [];
  let sum = 0;
  for (const deltakerId of deltakerIder) {
    if (chunk.length > 0 && sum + count(deltakerId) > MAX_RELATIONS) {
      yield chunk;
      [chunk, sum] = [[], 0];
    }
    chunk.push(deltakerId);
    sum += count(deltakerId);
  }
  if (chunk.length > 0) yield chunk;
}

function relationKey({ deltakerId, fra, relasjon, til }: StoredRelation): string {
  return `${deltakerId} ${fra} ${relasjon} ${til}`;
}
