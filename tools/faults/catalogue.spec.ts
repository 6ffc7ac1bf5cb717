import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { hasTest } from '../docs/named-test.ts';
import { FAULTS } from './catalogue.ts';
import { faultPage, keyOf, readPage, readResults } from './document.ts';
import { resultsOf } from './reporter.ts';

test('each fault is tried by a test that there is, and stands once', () => {
  expect(FAULTS.filter(({ file, test }) => !hasTest(file, test)).map(keyOf)).toEqual([]);
  expect(new Set(FAULTS.map(keyOf)).size).toBe(FAULTS.length);
});

test('docs/faults.md is what the catalogue and the last runs say; else: npm run feil', async () => {
  expect(readPage()).toBe(await faultPage());
  const known = new Set(FAULTS.map(keyOf));
  expect(Object.keys(readResults()).filter((key) => !known.has(key))).toEqual([]);
});

test('a run tells of the faults whose tests ran, and of no others', () => {
  const [first, second] = FAULTS;
  if (!first || !second) throw new Error('There are no faults');
  const ran = (status: string): Parameters<typeof resultsOf>[0] => [
    {
      testFilePath: join(ROOT, first.file),
      testResults: [
        { title: first.test, status },
        { title: second.test, status: 'pending' },
      ],
    },
  ];
  const now = new Date('2026-11-26T12:00:00Z');
  const times = [
    { title: first.test, ms: 900 },
    { title: first.test, ms: 1_200 },
  ];
  expect(resultsOf(ran('passed'), times, now)).toEqual({
    [keyOf(first)]: { passed: true, on: '2026-11-26', backAfterMs: 1_200 },
  });
  expect(resultsOf(ran('failed'), [], now)).toEqual({ [keyOf(first)]: { passed: false, on: '2026-11-26' } });
});
