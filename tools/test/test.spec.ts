import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkDir, ROOT, runProgram } from '@tiltak/testing';

/** Real runs of jest, in a project of their own. */
const { directory, clean } = createWorkDir('jest');
afterAll(clean);

async function run(name: string, ...files: string[]): Promise<{ code: number | undefined; lines: string[] }> {
  const rootDir = join(directory, name);
  mkdirSync(rootDir);
  for (const [nr, content] of files.entries()) writeFileSync(join(rootDir, `${String(nr)}.test.js`), content);
  const script = join(ROOT, 'tools', 'test', 'test.ts');
  const args = ['--config', JSON.stringify({ rootDir }), '--runInBand'];
  const { code, printout } = await runProgram(process.execPath, [script, '--', ...args], {
    env: { ...process.env, NODE_OPTIONS: '', JEST_WORKER_ID: undefined },
  });
  return { code, lines: printout.trimEnd().split('\n') };
}

test('all passed', async () => {
  const { code, lines } = await run('passed', `test('a', () => {}); test('b', () => {});`);
  expect([code, lines.at(-1)]).toEqual([0, '2 passed, 0 failed']);
});

test('one failed, a file could not be run, and what was skipped is named', async () => {
  const { code, lines } = await run(
    'failed',
    `test('a', () => {}); test('b', () => { throw new Error('b'); });
    describe.skip('of the moon (no moon)', () => { test('c', () => {}); test('d', () => {}); });`,
    `import 'nothing';`,
  );
  const end = ['skipped: of the moon (no moon) (2)', '1 passed, 2 failed, 2 skipped'];
  expect([code, lines.slice(-2)]).toEqual([1, end]);
});

test('a jest that ends without a word counts as failed', async () => {
  const { code, lines } = await run('killed', `process.kill(process.pid, 'SIGKILL');`);
  expect([code, lines.at(-1)]).toEqual([1, '0 passed, 1 failed']);
});
