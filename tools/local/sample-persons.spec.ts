import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { PERSONS_ON_MEASURE } from './sample-persons.ts';

test('who is asked for in the documents is on a measure on the local stack', () => {
  for (const document of ['README.md', 'docs/konsumenter.md']) {
    const idents = readFileSync(join(ROOT, document), 'utf8').match(/(?<=")\d{11}(?=")/g) ?? [];
    expect(idents.length).toBeGreaterThan(0);
    expect(idents.filter((ident) => !PERSONS_ON_MEASURE.includes(ident))).toEqual([]);
  }
});
