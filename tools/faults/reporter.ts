import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { TIMES_VARIABLE, type CameBack } from './came-back.ts';
import { FAULTS } from './catalogue.ts';
import { keyOf, readResults, writeResults, type FaultResults } from './document.ts';

/** What is read of jest's result. */
export interface RanFile {
  testFilePath: string;
  testResults: { title: string; status: string }[];
}

/** Writes how each fault's test went: `tools/faults/results.json` and docs/faults.md. Those that did not run stay as they were. */
class Reporter {
  private readonly directory = mkdtempSync(join(tmpdir(), 'tiltak-feil-'));

  onRunStart(): void {
    process.env[TIMES_VARIABLE] = join(this.directory, 'times');
  }

  async onRunComplete(_contexts: unknown, { testResults: ran }: { testResults: RanFile[] }): Promise<void> {
    const file = join(this.directory, 'times');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    rmSync(this.directory, { recursive: true });
    const times = lines.map((line) => JSON.parse(line) as CameBack);
    await writeResults({ ...readResults(), ...resultsOf(ran, times) });
  }
}

/** Of the faults whose tests ran. One test that runs for several rows holds when it does for all of them. */
export function resultsOf(ran: readonly RanFile[], times: readonly CameBack[], now = new Date()): FaultResults {
  const found = FAULTS.flatMap((fault) => {
    const pattern = titlePattern(fault.test);
    const tests = ran
      .filter(({ testFilePath }) => relative(ROOT, testFilePath).replaceAll('\\', '/') === fault.file)
      .flatMap(({ testResults }) => testResults)
      .filter(({ title, status }) => pattern.test(title) && ['passed', 'failed'].includes(status));
    if (tests.length === 0) return [];
    const backAfter = times.filter(({ title }) => pattern.test(title)).map(({ ms }) => ms);
    const result = {
      passed: tests.every(({ status }) => status === 'passed'),
      on: now.toISOString().slice(0, 10),
      ...(backAfter.length > 0 && { backAfterMs: Math.max(...backAfter) }),
    };
    return [[keyOf(fault), result] as const];
  });
  return Object.fromEntries(found);
}

/** A name as it stands in the file, with its placeholders, as it is when it runs. */
function titlePattern(test: string): RegExp {
  const parts = test.split(/%[a-z]|\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

// Jest demands a default export.
export { Reporter as default };
