import { countJest, countSurefire, countTargets, lastLines } from './count.ts';

const told = (failed: number, passed = 3): Parameters<typeof countJest>[0] => ({ passed, failed, skipped: ['s'] });

test.each([
  ['a run where all passed', told(0), true, [3, 0]],
  ['a failed test', told(2), false, [3, 2]],
  ['a failure without a name', told(0), false, [3, 1]],
  ['no tests at all', told(0, 0), true, [0, 1]],
  ['a jest that died', undefined, false, [0, 1]],
  ['a jest that told nothing', undefined, true, [0, 1]],
] as const)('jest: %s', (_name, report, succeeded, expected) => {
  const { passed, failed } = countJest(report, succeeded);
  expect([passed, failed]).toEqual(expected);
});

const task = (target: string, status = 0): { target: string; status: number } => ({ target, status });

test.each([
  ['all of them', [task('lint'), task('lint'), task('build')], true, [2, 0]],
  ['one that failed in one project', [task('lint'), task('lint', 1), task('build')], false, [1, 1]],
  ['one that was not run, since another failed', [task('lint', 1)], false, [0, 2]],
  ['a failure without a name', [task('lint'), task('build')], false, [2, 1]],
  ['an Nx that died', [], false, [0, 2]],
])('targets: %s', (_name, tasks, succeeded, expected) => {
  const { passed, failed } = countTargets(['lint', 'build'], tasks, succeeded);
  expect([passed, failed]).toEqual(expected);
});

test('the last line counts all parts', () => {
  const parts = [
    { passed: 6, failed: 1, skipped: [] },
    { passed: 12, failed: 0, skipped: [] },
  ];
  expect(lastLines(parts)).toEqual(['18 passed, 1 failed']);
});

test('what is skipped is named before it', () => {
  const skipped = ['a page (no browser)', 'a page (no browser)', 'another'];
  expect(lastLines([{ passed: 1, failed: 0, skipped }])).toEqual([
    'skipped: a page (no browser) (2)',
    'skipped: another (1)',
    '1 passed, 0 failed, 3 skipped',
  ]);
});

const suite = (tests: number, failures: number, errors: number, skipped = ''): string =>
  `<?xml version="1.0"?>\n<testsuite name="x" time="1.0" tests="${String(tests)}" errors="${String(errors)}" skipped="${skipped ? '1' : '0'}" failures="${String(failures)}">${skipped}</testsuite>`;

test.each([
  ['two suites', [suite(3, 0, 0), suite(2, 0, 0)], true, [5, 0]],
  ['failures and errors', [suite(5, 1, 1)], false, [3, 2]],
  ['one that did not compile', [], false, [0, 1]],
  ['a failure after the tests', [suite(3, 0, 0)], false, [3, 1]],
  ['what is skipped', [suite(3, 0, 0, '<skipped message="no Postgres"/>')], true, [2, 0]],
] as const)('Maven: %s', (_name, suites, succeeded, expected) => {
  const { passed, failed } = countSurefire(suites, succeeded);
  expect([passed, failed]).toEqual(expected);
});
