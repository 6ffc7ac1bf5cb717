/** What is read of jest's result. */
export interface JestResults {
  numPassedTests: number;
  numFailedTests: number;
  /** suites that could not be run at all: none of their tests is counted as failed */
  numRuntimeErrorTestSuites: number;
  testResults: { testResults: { status: string; title: string; ancestorTitles: string[] }[] }[];
}

export interface Report {
  passed: number;
  failed: number;
  /** the outermost title of each test that was skipped: it says why */
  skipped: string[];
}

export function report(results: JestResults): Report {
  const skipped = results.testResults
    .flatMap((file) => file.testResults)
    .filter(({ status }) => ['pending', 'todo', 'skipped', 'disabled'].includes(status))
    .map(({ title, ancestorTitles }) => ancestorTitles[0] ?? title);
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  return { passed: results.numPassedTests, failed, skipped };
}

/** Tells `test.ts`, which has started this jest, how it went. */
class Reporter {
  onRunComplete(_contexts: unknown, results: JestResults): Promise<void> {
    return new Promise((sent) => {
      if (process.send) process.send(report(results), () => sent());
      else sent();
    });
  }
}

// Jest demands a default export.
export { Reporter as default };
