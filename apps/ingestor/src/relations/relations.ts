import { relationsFor, type RelationAvtale } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import type { Pipeline } from '../database/pipeline.ts';
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
  for await (const deviations of deviationsIn(db, deltakerIder)) {
    await deleteRelations(db, deviations.superfluous);
    await insertRelations(db, deviations.missing);
    for (const avtaleId of linkedBy(deviations)) changed.add(avtaleId);
  }
  return changed;
}

/** Bit by bit: relations grow with the square of a participant's avtaler, and memory must not. */
async function* deviationsIn(db: PoolClient, deltakerIder: readonly string[]): AsyncGenerator<RelationDeviations> {
  const avtaler = Map.groupBy(await readRelationAvtaler(db, deltakerIder), ({ deltakerId }) => deltakerId);
  for (const chunk of chunks(deltakerIder, (deltakerId) => (avtaler.get(deltakerId)?.length ?? 0) ** 2)) {
    yield deviationsOf(chunk, avtaler, await readRelations(db, chunk));
  }
}

/** @param avtaler by participant; @param relations those stored of these participants, and no others */
function deviationsOf(
  deltakerIder: readonly string[],
  avtaler: ReadonlyMap<string, readonly RelationAvtale[]>,
  relations: readonly StoredRelation[],
): RelationDeviations {
  const stored = new Map(relations.map((relation) => [relationKey(relation), relation]));
  const missing = deltakerIder
    .flatMap((deltakerId) =>
      relationsFor(avtaler.get(deltakerId) ?? []).map((relation) => ({ deltakerId, ...relation })),
    )
    .filter((relation) => !stored.delete(relationKey(relation)));
  return { missing, superfluous: [...stored.values()] };
}

/** As `findDeviations`, in one send. Undefined when there are too many to have at once: see `repairRelations`. */
export async function askForDeviations(
  tx: Pipeline,
  deltakerIder: readonly string[],
): Promise<RelationDeviations | undefined> {
  const [avtaler, relations] = await Promise.all([
    readRelationAvtaler(tx, deltakerIder),
    readRelations(tx, deltakerIder, MAX_RELATIONS + 1),
  ]);
  const perDeltaker = Map.groupBy(avtaler, ({ deltakerId }) => deltakerId);
  const most = [...perDeltaker.values()].reduce((sum, { length }) => sum + length ** 2, 0);
  if (relations.length > MAX_RELATIONS || most > MAX_RELATIONS) return undefined;
  return deviationsOf(deltakerIder, perDeltaker, relations);
}

/** In the send after the one in which they were asked for. */
export async function putRight(tx: Pipeline, { missing, superfluous }: RelationDeviations): Promise<void> {
  await Promise.all([deleteRelations(tx, superfluous), insertRelations(tx, missing)]);
}

/** The avtaler that get or lose a link. */
export function linkedBy({ missing, superfluous }: RelationDeviations): Set<string> {
  return new Set([...missing, ...superfluous].map(({ fra }) => fra));
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
