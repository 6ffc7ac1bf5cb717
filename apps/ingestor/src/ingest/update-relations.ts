import type { PoolClient } from 'pg';
import { insertLinkChanges, lockDeltakere } from '../relations/relations.queries.ts';
import { repairRelations } from '../relations/relations.ts';
import { toldOtherwiseLater } from './avtaler.queries.ts';
import type { Effects } from './effects.ts';
import { ConcurrentChangeError } from './try-again.ts';

/**
 * Last in the transaction, since others may wait for the locks, and since whoever holds them must not wait for anything
 * else: batches of other partitions change other avtaler of the same participants at the same time.
 *
 * @throws ConcurrentChangeError
 */
export async function updateRelations(db: PoolClient, parts: readonly Effects[]): Promise<void> {
  const deltakere = [...new Set(parts.flatMap((effects) => [...effects.deltakere]))];
  const told = new Map(parts.flatMap((effects) => [...effects.told]));
  if (deltakere.length > 0) await lockDeltakere(db, deltakere);
  // Readers of the feed go by transaction ids, and this one's may be lower than that of somebody who has ended before it:
  // they would meet last what was true first. Now nobody else can write of these avtaler before this has ended, but for
  // lines that say that one is there, of avtaler that others see so.
  if (await toldOtherwiseLater(db, told)) throw new ConcurrentChangeError();
  if (deltakere.length === 0) return;
  const changed = await repairRelations(db, deltakere);
  for (const avtaleId of told.keys()) changed.delete(avtaleId);
  await insertLinkChanges(db, [...changed]);
}
