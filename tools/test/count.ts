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

/** Counts Maven's run by the reports of its suites. One that says it failed without naming a test is a failure. */
export function countSurefire(suites: readonly string[], succeeded: boolean): Report {
  const counts = suites.map((xml) => {
    const head = /<testsuite [^>]*>/.exec(xml)?.[0] ?? '';
    const of = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
    return { tests: of('tests'), failed: of('failures') + of('errors'), skipped: of('skipped') };
  });
  const sum = (name: 'tests' | 'failed' | 'skipped'): number => counts.reduce((total, one) => total + one[name], 0);
  const [failed, skipped] = [sum('failed'), sum('skipped')];
  const passed = sum('tests') - failed - skipped;
  const unexplained = failed === 0 && (!succeeded || passed === 0);
  const titles = suites.flatMap((xml) => [...xml.matchAll(/<skipped message="([^"]*)"/g)].map(([, why = '']) => why));
  return { passed, failed: unexplained ? 1 : failed, skipped: titles };
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
