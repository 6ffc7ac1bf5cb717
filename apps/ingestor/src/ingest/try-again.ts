/** Of a write that another transaction was in the way of. */
export const MAX_ATTEMPTS = 5;

/**
 * Keys that another transaction has made since this one looked, and a row of another that it has taken away: seen the next
 * time. Never the fault of what is written.
 */
const SEEN_NEXT_TIME = ['avtale_pkey', 'relasjon_pkey', 'registernoekkel_siden_parkert_fkey'];

/** Whether the database refuses only what another transaction was first with. */
export function wasAnotherFirst(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return (code === '23505' || code === '23503') && SEEN_NEXT_TIME.includes(String(constraint));
}

/** @param isPassing whether the next attempt may come through where this one failed */
export async function tryAgain<T>(attempt: () => Promise<T>, isPassing: (error: unknown) => boolean): Promise<T> {
  for (let made = 1; ; made++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || made >= MAX_ATTEMPTS) throw error;
    }
  }
}
