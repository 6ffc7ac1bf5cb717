import { sluttlinje, tellJest } from './opptelling.ts';

const resultat = (felter: Record<string, number>): string => JSON.stringify({ numPassedTests: 3, ...felter });

test.each([
  ['a run where all passed', resultat({}), true, { bestaatt: 3, feilet: 0 }],
  ['a failed test', resultat({ numFailedTests: 2 }), false, { bestaatt: 3, feilet: 2 }],
  ['a suite that could not be run', resultat({ numRuntimeErrorTestSuites: 1 }), false, { bestaatt: 3, feilet: 1 }],
  ['both', resultat({ numFailedTests: 1, numRuntimeErrorTestSuites: 2 }), false, { bestaatt: 3, feilet: 3 }],
  ['a failure without a name', resultat({}), false, { bestaatt: 3, feilet: 1 }],
  ['no tests at all', resultat({ numPassedTests: 0 }), true, { bestaatt: 0, feilet: 1 }],
  ['no result', undefined, false, { bestaatt: 0, feilet: 1 }],
  ['half a result', '{"numPassedTests": 3', false, { bestaatt: 0, feilet: 1 }],
])('%s', (_navn, json, gikkBra, forventet) => {
  expect(tellJest(json, gikkBra)).toEqual(forventet);
});

test('the last line', () => {
  expect(sluttlinje({ bestaatt: 12, feilet: 0 })).toBe('12 passed, 0 failed');
});
