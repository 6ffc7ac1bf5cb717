import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const versionIn = (...path: string[]): string => (JSON.parse(read(...path)) as { version: string }).version;
const documentVersion = (app: string, file: string): string =>
  (JSON.parse(read('apps', app, file)) as { info: { version: string } }).info.version;

/** `## 1.1.0 (not yet released)`, or with the day on which it was. */
const RELEASE = /^## (\d+\.\d+\.\d+)(?: \(not yet released\)| – (\d{4}-\d{2}-\d{2}))$/;
const headings = read('CHANGELOG.md')
  .split('\n')
  .filter((line) => line.startsWith('## '));

test('the documents, the packages and the newest release of CHANGELOG are of one version', () => {
  const [version] = headings.map((line) => RELEASE.exec(line)?.[1]);
  const [, client] = /<version>([^<]+)<\/version>/.exec(read('clients', 'kotlin', 'pom.xml')) ?? [];
  const [, inReadme] = /<version>([^<]+)<\/version>/.exec(read('clients', 'kotlin', 'README.md')) ?? [];
  expect({
    root: versionIn('package.json'),
    typescript: versionIn('clients', 'typescript', 'package.json'),
    kotlin: client,
    'README of kotlin': inReadme,
    sandbox: versionIn('sandbox', 'package.json'),
    'query-api': documentVersion('query-api', 'openapi.json'),
    ingestor: documentVersion('ingestor', 'openapi.json'),
  }).toEqual({
    root: version,
    typescript: version,
    kotlin: version,
    'README of kotlin': version,
    sandbox: version,
    'query-api': version,
    ingestor: version,
  });
});

test('every heading of CHANGELOG is a release, and the newest with a day is the one that changes are held against', () => {
  const releases = headings.map((line) => RELEASE.exec(line));
  expect(releases.every((found) => found !== null)).toBe(true);
  const released = releases.find((found) => found?.[2] !== undefined);
  for (const app of ['query-api', 'ingestor']) {
    expect([app, documentVersion(app, 'openapi.released.json')]).toEqual([app, released?.[1]]);
  }
});
