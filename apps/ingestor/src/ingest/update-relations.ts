import { sameRelationAvtale, type Fold } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { insertLinkChanges, lockDeltakere, toldLater } from '../relations/relations.queries.ts';
import { repairRelations } from '../relations/relations.ts';
import { ConcurrentChangeError, type StoredAvtale } from './avtaler.queries.ts';
import type { EncodedContent } from './avtaler.rows.ts';

/** What became of avtaler, and what was known about them before. */
export interface WrittenPart {
  folds: Fold<EncodedContent>[];
  known: Map<string, StoredAvtale>;
}

/**
 * Last in the transaction, since others may wait for the locks, and since whoever holds them must not wait for anything
 * else: batches of other partitions change other avtaler of the same participants at the same time.
 *
 * @throws ConcurrentChangeError
 */
export async function updateRelations(db: PoolClient, parts: readonly WrittenPart[]): Promise<void> {
  const deltakere = [...new Set(parts.flatMap(affectedDeltakere))];
  const deleted = deletedOfSomebody(parts);
  if (deltakere.length === 0 && deleted.length === 0) return;
  await lockDeltakere(db, deltakere);
  // Another batch linked to it, or it followed its person, before this one could delete it, and readers of the feed would
  // meet that last.
  if (await toldLater(db, deleted)) throw new ConcurrentChangeError();
  const changed = await repairRelations(db, deltakere);
  for (const { avtaleId, changes } of parts.flatMap(({ folds }) => folds)) {
    if (changes.length > 0) changed.delete(avtaleId);
  }
  await insertLinkChanges(db, [...changed]);
}

/** The participants of the avtaler in which something changed that a rule can see. */
function affectedDeltakere({ folds, known }: WrittenPart): string[] {
  const deltakere = new Set<string>();
  for (const { avtaleId, state, content } of folds) {
    const [before, now] = [known.get(avtaleId)?.member, content?.member];
    if (!state || sameRelationAvtale(before, now)) continue;
    for (const avtale of [before, now]) if (avtale) deltakere.add(avtale.deltakerId);
  }
  return [...deltakere];
}

/** The avtaler that had a participant, so that others could tell of them, and that consumers no longer see. */
function deletedOfSomebody(parts: readonly WrittenPart[]): string[] {
  const hadDeltaker = (avtaleId: string): boolean =>
    parts.some(({ known }) => (known.get(avtaleId)?.deltakerId ?? null) !== null);
  return parts
    .flatMap(({ folds }) => folds)
    .filter(({ avtaleId, changes }) => changes.some(({ type }) => type === 'SLETTET') && hadDeltaker(avtaleId))
    .map(({ avtaleId }) => avtaleId);
}
