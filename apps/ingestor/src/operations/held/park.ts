import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool } from 'pg';
import { inTransaction } from '../../database/transaction.ts';
import { insertWaitingBatch } from '../../ingest/persons.queries.ts';
import { lockPosition, setPosition } from '../../kafka/positions.queries.ts';
import { recordAction, type Actor } from '../actions.queries.ts';
import { insertParkedBatch, readHeld, takeHeld } from './held.queries.ts';

/**
 * Parks the batch that a partition stands still at. Who consumes the partition sees by the position that it is to go on: it
 * may be another process.
 *
 * @param identTopic of the person register, whose messages say all there is of their keys: of a batch of it, what comes
 * after it of the same ones is noted from now on
 * @returns the id of the parked message
 * @throws Problem 404, or 409 when the partition has got past it
 */
export async function parkHeld(pool: Pool, identTopic: string | undefined, id: string, who: Actor): Promise<string> {
  const held = await readHeld(pool, id);
  if (!held) throw new Problem(PROBLEMS.FINNES_IKKE, 'No partition stands still with this id');
  return inTransaction(pool, async (db) => {
    const place = { topic: held.topic, epoch: held.epoke, partition: held.partisjon };
    const position = await lockPosition(db, place);
    const content = await takeHeld(db, id);
    const last = Number(held.tilOffset);
    if (!content || position === undefined || position > last) {
      throw new Problem(PROBLEMS.KONFLIKT, 'The partition has got past this batch');
    }
    const parked = await insertParkedBatch(db, held, content);
    if (held.topic === identTopic) await insertWaitingBatch(db, parked);
    await setPosition(db, place, last + 1);
    await recordAction(db, who, { handling: 'PARKER_STANSET', gjelder: parked, antall: 1 });
    return parked;
  });
}
