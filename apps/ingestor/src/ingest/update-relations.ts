import { sameRelationAvtale, type Fold } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { insertLinkChanges, lockDeltakere } from '../relations/relations.queries.ts';
import { repairRelations } from '../relations/relations.ts';
import { ConcurrentChangeError, toldOtherwiseLater, type LastTold, type StoredAvtale } from './avtaler.queries.ts';
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
  if (deltakere.length > 0) await lockDeltakere(db, deltakere);
  // Readers of the feed go by transaction ids, and this one's may be lower than that of somebody who has ended before it:
  // they would meet last what was true first. Now nobody else can write of these avtaler before this has ended, but for
  // lines that say that one is there, of avtaler that others see so.
  if (await toldOtherwiseLater(db, lastTold(parts))) throw new ConcurrentChangeError();
  if (deltakere.length === 0) return;
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

/** What the feed says last of each avtale that these tell of. */
function lastTold(parts: readonly WrittenPart[]): LastTold[] {
  const changes = parts.flatMap(({ folds }) => folds.flatMap((fold) => fold.changes));
  return [...new Map(changes.map(({ avtaleId, type }) => [avtaleId, { avtaleId, type }])).values()];
}
