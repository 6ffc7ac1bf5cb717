import type { Report } from './reporter.ts';

/** What Nx notes of a task that it has run, or taken from its cache. */
export interface Task {
  target: string;
  status: number;
}

/**
 * Counts jest's run. One that says it failed without naming a test is a failure: it crashed, or found no tests.
 *
 * @param told what the reporter told; undefined when jest ended before it could
 */
export function countJest(told: Report | undefined, succeeded: boolean): Report {
  const { passed, failed, skipped } = told ?? { passed: 0, failed: 0, skipped: [] };
  const unexplained = failed === 0 && (!succeeded || passed === 0);
  return { passed, failed: unexplained ? 1 : failed, skipped };
}

/** Counts each target as one test, which passes when it has been run and went well in every project. */
export function countTargets(targets: readonly string[], tasks: readonly Task[], succeeded: boolean): Report {
  const passed = targets.filter((name) => {
    const own = tasks.filter(({ target }) => target === name);
    return own.length > 0 && own.every(({ status }) => status === 0);
  }).length;
  const failed = targets.length - passed;
  return { passed, failed: failed === 0 && !succeeded ? 1 : failed, skipped: [] };
}

/** The end of a test run: what was skipped, by the titles that say why, and the line that counts. */
export function lastLines(parts: readonly Report[]): string[] {
  const sum = (of: (part: Report) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const skipped = Map.groupBy(
    parts.flatMap((part) => part.skipped),
    (title) => title,
  );
  const counts = `${String(sum(({ passed }) => passed))} passed, ${String(sum(({ failed }) => failed))} failed`;
  if (skipped.size === 0) return [counts];
  const titles = [...skipped].map(([title, { length }]) => `skipped: ${title} (${String(length)})`);
  return [...titles, `${counts}, ${String(sum((part) => part.skipped.length))} skipped`];
}
