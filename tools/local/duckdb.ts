import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { ROOT } from '@tiltak/testing';
import { INVOKED_FROM } from './options.ts';

const USAGE = `Usage: npm run -s duckdb -- SERIE [SQL]

Answers with DuckDB from a series that npm run analyse -- --serie SERIE has written: SQL on siste, the series as it is now,
or, without SQL, who is on a measure today. Both are the statements of docs/analyse.md.`;

/** As they stand there, for this series and this day. */
function statementsFor(series: string): { latest: string; question: string } {
  const page = readFileSync(join(ROOT, 'docs', 'analyse.md'), 'utf8');
  const today = new Date().toLocaleDateString('sv-SE', { timeZone: 'Europe/Oslo' });
  const [latest = '', question = ''] = Array.from(page.matchAll(/^```sql\n([^]*?)^```/gm), ([, sql]) => sql);
  return {
    latest: latest.replaceAll('SERIE', () => series.replaceAll("'", "''")),
    question: question.replaceAll(/date '[\d-]+'/g, `date '${today}'`),
  };
}

async function run([directory, sql]: string[]): Promise<void> {
  if (directory === undefined || directory.startsWith('-')) throw new Error(USAGE);
  // Named from where npm was called.
  const series = resolve(INVOKED_FROM, directory);
  if (globSync(join(series, '*', 'manifest.json')).length === 0)
    throw new Error(`There is no whole run in ${series}: npm run analyse -- --serie ${directory}`);
  const { latest, question } = statementsFor(series);
  const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    await duckdb.run(`set TimeZone = 'UTC'`);
    await duckdb.run(latest);
    console.table((await duckdb.runAndReadAll(sql ?? question)).getRowObjectsJson());
  } finally {
    duckdb.closeSync();
  }
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
