import type { Pool, PoolClient } from 'pg';
import { LOCKS } from '@tiltak/database';
import { hovedenhetOf } from '@tiltak/virksomhet';
import type { CheckOptions } from '../../ingest/resource-writer.ts';
import { inAttempts } from '../../ingest/try-again.ts';
import { insertLines, moveHovedenheter, readAbove, readAllStored } from './hierarchy.queries.ts';

/**
 * Keeps the hovedenhet of all whose chain goes through one that says something else is above it now. Under the lock of
 * the hierarchy, so each sees all that those before it said, and any order comes to the same.
 */
export async function followHierarchy(db: PoolClient, keys: readonly string[]): Promise<() => Promise<void>> {
  const before = await readAbove(db, keys);
  return async () => {
    const now = await readAbove(db, keys);
    const moved = keys.filter((key) => (before.get(key) ?? null) !== (now.get(key) ?? null));
    if (moved.length > 0) await moveHovedenheter(db, moved);
  };
}

/** A hovedenhet that was not what the chain says. */
export interface HovedenhetDeviation {
  organisasjonsnummer: string;
  stored: string | null;
  right: string | null;
}

/**
 * Finds the top of all chains from scratch, by the rule itself, and tells of those that are stored otherwise. Holds
 * those off who write virksomheter: for seconds, with a million.
 *
 * @param options repair: also puts them right, and what shows them is told of in the feeds
 */
export function checkHierarchy(pool: Pool, { repair, record }: CheckOptions): Promise<HovedenhetDeviation[]> {
  return inAttempts(pool, async (db) => {
    await db.query(`select pg_advisory_xact_lock(${LOCKS.HIERARCHY})`);
    const rows = await readAllStored(db);
    const above = new Map(rows.filter(({ isDeleted }) => !isDeleted).map(({ nr, overordnet }) => [nr, overordnet]));
    const deviations = rows.flatMap(({ nr, hovedenhet }): HovedenhetDeviation[] => {
      const right = hovedenhetOf(nr, (unit) => above.get(unit));
      return right === hovedenhet ? [] : [{ organisasjonsnummer: nr, stored: hovedenhet, right }];
    });
    const wrong = deviations.map(({ organisasjonsnummer }) => organisasjonsnummer);
    if (repair && wrong.length > 0) {
      await moveHovedenheter(db, wrong);
      await insertLines(db, wrong);
      await record?.(db, wrong.length);
    }
    return deviations;
  });
}
