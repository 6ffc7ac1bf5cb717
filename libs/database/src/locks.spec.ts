import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, testEnvironment } from '@tiltak/testing';
import pg from 'pg';
import { DIRECTORY_LOCKS, LOCKS, publishingLock, resourceLock } from './locks.ts';

const SCHEMA = readFileSync(join(ROOT, 'libs', 'database', 'schema.sql'), 'utf8');
/** Also those that no resource has yet. */
const TABLES = [...SCHEMA.matchAll(/^create (?:unlogged )?table (\w+)/gm)].map(([, name = '']) => name);
const RESOURCES = ['avtaler', 'virksomheter', 'identer', ...TABLES];
/** The first of two numbers: those are another space than single ones. */
const OF_TWO = [LOCKS.SUBSCRIPTIONS, LOCKS.DELTAKERE, LOCKS.DELTAKER];

async function numbersOf(expressions: readonly string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: testEnvironment().postgres });
  await client.connect();
  try {
    const { rows } = await client.query<{ n: string }>(
      expressions.map((expression) => `select (${expression})::bigint as n`).join(' union all '),
    );
    return rows.map(({ n }) => n);
  } finally {
    await client.end();
  }
}

test('no two advisory locks are one number, neither of those that are one number nor of those that are two', async () => {
  const ofOne = Object.values(LOCKS).filter((lock) => !OF_TWO.some((other) => other === lock));
  const single = [...new Set([...ofOne, ...RESOURCES.map(publishingLock), ...TABLES.map(resourceLock)])];
  expect(single.length).toBe(ofOne.length + (RESOURCES.length - 1) + (TABLES.length - 1));
  const numbers = await numbersOf(single);
  expect(new Set(numbers).size).toBe(single.length);
  for (const number of numbers) expect(Math.abs(Number(number))).toBeLessThan(DIRECTORY_LOCKS.first);
  // As of one that a driver gives as a number.
  expect(DIRECTORY_LOCKS.first + DIRECTORY_LOCKS.count).toBeLessThan(Number.MAX_SAFE_INTEGER);
  expect(new Set(await numbersOf(OF_TWO)).size).toBe(OF_TWO.length);
});

const TAKES = /pg_(?:try_)?advisory_(?:xact_)?(?:un)?lock(?:_shared)?\(/g;

/** What comes after the parenthesis, up to the end of the line. */
const takenIn = (text: string): string[] =>
  [...text.matchAll(TAKES)].map(({ index, 0: call }) => {
    return text.slice(index + call.length).split('\n', 1)[0] ?? '';
  });

test('no advisory lock is taken that is not among them, in the schema either', async () => {
  const isKnown = /^\$\{(LOCKS\.[A-Z_]+|(publishing|resource)Lock\(.*\))\}[,)]/;
  // Of `DIRECTORY_LOCKS`, as its file says.
  const isOfDirectory = 'apps/query-api/src/analysis/own-directory.ts: $1)';
  const others: string[] = [];
  for await (const file of glob('{apps,libs,sandbox}/**/*.ts', { cwd: ROOT, exclude: ['**/node_modules/**'] })) {
    if (/\.spec\.ts$|^libs\/(testing|database\/src\/migrations)\//.test(file)) continue;
    for (const taken of takenIn(readFileSync(join(ROOT, file), 'utf8'))) {
      if (!isKnown.test(taken)) others.push(`${file}: ${taken}`);
    }
  }
  expect(others).toEqual([expect.stringContaining(isOfDirectory)]);
  const values: readonly string[] = Object.values(LOCKS);
  const inSchema = takenIn(SCHEMA).map((taken) => values.find((lock) => taken.startsWith(lock)) ?? taken);
  expect(inSchema.length).toBeGreaterThan(10);
  expect(inSchema.filter((lock) => !values.includes(lock))).toEqual([]);
});
