/** What is read of jest's `--json` result. */
interface JestResult {
  numPassedTests: number;
  numFailedTests: number;
  /** suites that could not be run at all: none of their tests is counted as failed */
  numRuntimeErrorTestSuites: number;
}

export interface Count {
  passed: number;
  failed: number;
}

/**
 * Counts jest's run. A suite that can't be run is a failure, and so is a run that says it failed without naming a test:
 * one that crashed, found no tests, or could not write its result.
 *
 * @param json what jest wrote; undefined when it wrote nothing
 */
export function countJest(json: string | undefined, succeeded: boolean): Count {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = readResult(json);
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  const unexplained = failed === 0 && (!succeeded || numPassedTests === 0);
  return { passed: numPassedTests, failed: unexplained ? 1 : failed };
}

function readResult(json: string | undefined): JestResult {
  const empty = { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
  try {
    return { ...empty, ...(JSON.parse(json ?? '{}') as Partial<JestResult>) };
  } catch {
    return empty;
  }
}

/** The last line of a test run. */
export function lastLine({ passed, failed }: Count): string {
  return `${String(passed)} passed, ${String(failed)} failed`;
}
