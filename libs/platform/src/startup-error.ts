/** Something is wrong with the set-up, said in one sentence that names it: shown without a stack. */
export class StartupError extends Error {}

/** Also errors of libraries that don't know this one, and say of themselves that they are. */
export function isStartupError(error: unknown): error is Error {
  return error instanceof StartupError || (error instanceof Error && 'startupError' in error);
}
