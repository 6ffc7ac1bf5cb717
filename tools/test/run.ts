import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastLine, countJest } from './count.ts';
import { jest, runStage, type Stage } from './stages.ts';

/**
 * Runs everything, in order, and prints `N passed, N failed` last. Each stage before jest counts as one test; a failure
 * does not hide those that come after it.
 *
 * @param jestArguments beside those that every run has; which specs, when it isn't the usual ones
 */
export async function runTests(before: readonly Stage[], jestArguments: readonly string[]): Promise<void> {
  const result = { passed: 0, failed: 0 };
  for (const stage of before) {
    if (await runStage(stage)) result.passed++;
    else result.failed++;
  }

  const directory = mkdtempSync(join(tmpdir(), 'tiltak-jest-'));
  const resultFile = join(directory, 'resultat.json');
  const succeeded = await runStage(jest(resultFile, jestArguments));
  const tester = countJest(existsSync(resultFile) ? readFileSync(resultFile, 'utf8') : undefined, succeeded);
  rmSync(directory, { recursive: true, force: true });
  result.passed += tester.passed;
  result.failed += tester.failed;

  process.exitCode = result.failed === 0 ? 0 : 1;
  console.log(lastLine(result));
}
