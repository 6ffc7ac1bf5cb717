import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import type { Entry } from './api.ts';

/**
 * The lines of all `.ndjson` files of a directory, in the order of their names: one avtale each, or an id to delete.
 *
 * @throws in a sentence, when there is nothing that can be read: a full sync of nothing would delete everything
 */
export async function readDirectory(directory: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`There is no directory ${directory}.`);
  const files = readdirSync(directory).filter((name) => name.endsWith('.ndjson'));
  if (files.length === 0) throw new Error(`There is no file that ends in .ndjson in ${directory}.`);
  for (const file of files.sort()) {
    let number = 0;
    for await (const line of createInterface({ input: createReadStream(join(directory, file)) })) {
      number++;
      if (line.trim() !== '') entries.push(toEntry(parseLine(line, `${file}, line ${String(number)}`)));
    }
  }
  return entries;
}

function parseLine(line: string, where: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // What the engine says of it quotes the line, which is about people.
    throw new Error(`${where} is not JSON.`);
  }
}

/** The rows of a table whose columns have the names of the fields of an avtale. */
export async function readTable(url: string, table: string): Promise<Entry[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const name = table.split('.').map((part) => client.escapeIdentifier(part));
    const { rows } = await client.query<{ content: Record<string, unknown> }>(
      `select to_jsonb(t) as content from ${name.join('.')} t order by "avtaleId"`,
    );
    return rows.map(({ content: row }) => toEntry(row));
  } finally {
    await client.end();
  }
}

function toEntry(resource: Record<string, unknown>): Entry {
  const { avtaleId } = resource;
  if (typeof avtaleId !== 'string') throw new Error('Each avtale needs an avtaleId');
  return { id: avtaleId, ressurs: resource };
}
