import type { Pool, PoolClient } from 'pg';
import type { Pieces } from '../background/give-way.ts';
import { inTransaction } from '../database/transaction.ts';
import { inAttempts } from '../ingest/try-again.ts';
import { insertLinkChanges, lockDeltakere, nextDeltakere, type StoredRelation } from './relations.queries.ts';
import { findDeviations, repairRelations, type RelationDeviations } from './relations.ts';

const DELTAKERE_PER_CHUNK = 500;
/** Beside the stream. */
export const DELTAKERE_IN_PIECE = { first: 100, least: 10, most: DELTAKERE_PER_CHUNK };

/** What a check of all participants came to; the numbers are of links, which are stored in both directions. */
export interface CheckResult {
  deltakere: number;
  mangler: number;
  overfloedige: number;
  rettet: boolean;
}

/** One link that is not as it follows from the avtaler. */
export interface Deviation extends StoredRelation {
  avvik: 'MANGLER' | 'OVERFLOEDIG';
}

export interface CheckOptions {
  repair: boolean;
  /** hears of each difference as it is found */
  report: (deviation: Deviation) => void;
  /** in the transaction that puts them right, what was found: who checks again when this process is killed finds none of it */
  record?: (db: PoolClient, deviations: readonly Deviation[]) => Promise<void>;
  antall?: number;
  /** in which it gives way to the stream; else so many participants at a time */
  pieces?: Pieces;
  /** ends the check before it is through */
  signal?: AbortSignal;
}

/**
 * Compares the stored relations of every participant with those computed from the avtaler, some hundred participants at
 * a time, while messages are read. Each time is one snapshot; with `repair`, what differs is then computed again under the
 * locks and written.
 */
export async function checkRelations(pool: Pool, options: CheckOptions): Promise<CheckResult> {
  const result: CheckResult = { deltakere: 0, mangler: 0, overfloedige: 0, rettet: options.repair };
  for (let after: string | null = null; ;) {
    const from = after;
    const next = (most: number): Promise<Compared> => compare(pool, from, most);
    const { deltakere, deviation } = await (options.pieces?.take(next) ?? next(options.antall ?? DELTAKERE_PER_CHUNK));
    after = deltakere.at(-1) ?? null;
    if (after === null || options.signal?.aborted) return result;
    const found = [
      ...deviation.missing.map((relation): Deviation => ({ avvik: 'MANGLER', ...relation })),
      ...deviation.superfluous.map((relation): Deviation => ({ avvik: 'OVERFLOEDIG', ...relation })),
    ];
    for (const one of found) options.report(one);
    result.deltakere += deltakere.length;
    result.mangler += deviation.missing.length;
    result.overfloedige += deviation.superfluous.length;
    if (options.repair) await repair(pool, found, options);
  }
}

interface Compared {
  deltakere: string[];
  deviation: RelationDeviations;
}

function compare(pool: Pool, after: string | null, count: number): Promise<Compared> {
  return inTransaction(
    pool,
    async (db) => {
      const deltakere = await nextDeltakere(db, after, count);
      return { deltakere, deviation: await findDeviations(db, deltakere) };
    },
    'begin isolation level repeatable read read only',
  );
}

async function repair(pool: Pool, found: readonly Deviation[], { pieces, record }: CheckOptions): Promise<void> {
  const deltakere = [...new Set(found.map(({ deltakerId }) => deltakerId))];
  if (deltakere.length === 0) return;
  const repairSome = (some: readonly string[]): Promise<void> =>
    inAttempts(pool, async (db) => {
      await lockDeltakere(db, some);
      await insertLinkChanges(db, [...(await repairRelations(db, some))]);
      await record?.(
        db,
        found.filter(({ deltakerId }) => some.includes(deltakerId)),
      );
    });
  await (pieces?.each(deltakere, repairSome) ?? repairSome(deltakere));
}
