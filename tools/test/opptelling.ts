/** What is read of jest's `--json` result. */
interface Jestresultat {
  numPassedTests: number;
  numFailedTests: number;
  /** suites that could not be run at all: none of their tests is counted as failed */
  numRuntimeErrorTestSuites: number;
}

export interface Opptelling {
  bestaatt: number;
  feilet: number;
}

/**
 * Counts jest's run. A suite that can't be run is a failure, and so is a run that says it failed without naming a test:
 * one that crashed, found no tests, or could not write its result.
 *
 * @param json what jest wrote; undefined when it wrote nothing
 */
export function tellJest(json: string | undefined, gikkBra: boolean): Opptelling {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = lesResultat(json);
  const feilet = numFailedTests + numRuntimeErrorTestSuites;
  const uforklart = feilet === 0 && (!gikkBra || numPassedTests === 0);
  return { bestaatt: numPassedTests, feilet: uforklart ? 1 : feilet };
}

function lesResultat(json: string | undefined): Jestresultat {
  const tomt = { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
  try {
    return { ...tomt, ...(JSON.parse(json ?? '{}') as Partial<Jestresultat>) };
  } catch {
    return tomt;
  }
}

/** The last line of a test run. */
export function sluttlinje({ bestaatt, feilet }: Opptelling): string {
  return `${String(bestaatt)} passed, ${String(feilet)} failed`;
}
