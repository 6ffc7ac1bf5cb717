import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const readAll = (...patterns: string[]): string => globSync(patterns, { cwd: ROOT }).map(read).join('\n');

/** The words that names are made of: `toRfc3339Text` is to, rfc and text. */
function wordsIn(text: string): Set<string> {
  const apart = text.replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2').toLowerCase();
  return new Set(apart.match(/\p{Ll}+/gu));
}

const COMMENT = /\/\*[^]*?\*\/|^\s*\/\/.*$/gm;
const code = wordsIn(readAll('apps/*/src/**/!(*.spec).ts', 'libs/*/src/**/!(*.spec).ts').replace(COMMENT, ''));
const published = wordsIn(
  readAll(
    'apps/*/openapi.json',
    'apps/*/src/metrics.ts',
    'apps/query-api/src/access/konsumenter.schema.json',
    'libs/database/src/migrations/*.ts',
  ),
);

const [, domain = '', names = ''] = read('docs/glossary.md').split(/^## /m);

/** The cells of a table, without its head. */
function rowsOf(section: string): string[][] {
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => line.slice(1, -1).split('|'));
}

/** The words of the names in a cell that are not among these. */
function missing(cell: string, among: Set<string>): string[] {
  return [...wordsIn(cell)].filter((word) => !among.has(word));
}

test('the words of the domain are words of the code', () => {
  const rows = rowsOf(domain);
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.flatMap(([word = '']) => missing(word, code))).toEqual([]);
});

test('what is said to be published is, and the code has the name that is said', () => {
  const rows = rowsOf(names);
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.flatMap(([name = '']) => missing(name, published))).toEqual([]);
  expect(rows.flatMap(([, name = '']) => missing(name, code))).toEqual([]);
});
