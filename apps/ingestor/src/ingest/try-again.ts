/** Of a write that another transaction was in the way of. */
export const MAX_ATTEMPTS = 5;

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
