import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../database/transaction.ts';

/** Of a write that another transaction was in the way of. */
const MAX_ATTEMPTS = 5;

/**
 * Another was first as the change feeds and subscriptions have it, which are in the order of transaction ids (the database
 * refuses what is out of turn); or each waits for the other.
 */
const IN_THE_WAY = ['40001', '40P01'];

/**
 * Keys that another transaction has made since this one looked, and a row of another that it has taken away: seen the next
 * time. Never the fault of what is written.
 */
const SEEN_NEXT_TIME = ['avtale_pkey', 'relasjon_pkey', 'registernoekkel_siden_parkert_fkey'];

/** Another transaction has changed a row since it was read: read again and try again. */
export class ConcurrentChangeError extends Error {
  constructor() {
    super('a row was changed by another transaction since it was read');
  }
}

/** Whether the database refuses only what another transaction was first with. */
export function wasAnotherFirst(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return (code === '23505' || code === '23503') && SEEN_NEXT_TIME.includes(String(constraint));
}

/** Whether the next attempt may come through where this one failed: the one rule of all that write. */
function isPassing(error: unknown): boolean {
  if (error instanceof ConcurrentChangeError || wasAnotherFirst(error)) return true;
  return IN_THE_WAY.includes(String((error as { code?: unknown }).code));
}

/**
 * A transaction that writes, begun again while another is in its way. All of the work may happen more than once: only the
 * last is committed.
 */
export async function inAttempts<T>(pool: Pool, work: (db: PoolClient) => Promise<T>): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await inTransaction(pool, work);
    } catch (error) {
      if (!isPassing(error) || made >= MAX_ATTEMPTS) throw error;
    }
  }
}
