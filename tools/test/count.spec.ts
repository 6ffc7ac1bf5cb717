import { lastLine, countJest } from './count.ts';

const result = (fields: Record<string, number>): string => JSON.stringify({ numPassedTests: 3, ...fields });

test.each([
  ['a run where all passed', result({}), true, { passed: 3, failed: 0 }],
  ['a failed test', result({ numFailedTests: 2 }), false, { passed: 3, failed: 2 }],
  ['a suite that could not be run', result({ numRuntimeErrorTestSuites: 1 }), false, { passed: 3, failed: 1 }],
  ['both', result({ numFailedTests: 1, numRuntimeErrorTestSuites: 2 }), false, { passed: 3, failed: 3 }],
  ['a failure without a name', result({}), false, { passed: 3, failed: 1 }],
  ['no tests at all', result({ numPassedTests: 0 }), true, { passed: 0, failed: 1 }],
  ['no result', undefined, false, { passed: 0, failed: 1 }],
  ['half a result', '{"numPassedTests": 3', false, { passed: 0, failed: 1 }],
])('%s', (_navn, json, succeeded, expected) => {
  expect(countJest(json, succeeded)).toEqual(expected);
});

test('the last line', () => {
  expect(lastLine({ passed: 12, failed: 0 })).toBe('12 passed, 0 failed');
});
