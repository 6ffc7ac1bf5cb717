import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { withClient } from '../servers.ts';

const MESSAGES_PER_TRANSACTION = 1_000;
/** Written once, with the columns that belong to the row and not to the database that it was written in. */
const TABLES = { avtale_versjon: '*', endring: 'avtale_id, type, aarsak, tidspunkt', relasjon: '*' };
type Table = keyof typeof TABLES;

/** What the ingestor has stored. */
export interface CopiedRows {
  parts: Part[];
  /** by table: what tells the same rows from others */
  sums: Record<string, string>;
}

/** What one transaction writes, as COPY has it. */
interface Part {
  avtaler: string;
  rows: Record<Table, string>;
}

/**
 * In parts: the versions and lines of the feed in the order in which they came, and each
 * avtale in each part that has a version of it, since it was stored so often.
 */
export async function readRows(url: string, messages: number): Promise<CopiedRows> {
  return { parts: await readParts(url, messages), sums: await sumsOf(url) };
}

function readParts(url: string, messages: number): Promise<Part[]> {
  return withClient(url, async (db) => {
    const count = Math.max(1, Math.ceil(messages / MESSAGES_PER_TRANSACTION));
    const avtaler = await readAvtaler(db);
    const ids = await db.query<{ id: string }>('select avtale_id::text as id from avtale_versjon order by lopenr');
    const rows: Record<Table, string[]> = {
      avtale_versjon: await readLines(db, 'select * from avtale_versjon order by lopenr'),
      endring: await readLines(db, `select ${TABLES.endring} from endring order by tx, lopenr`),
      relasjon: await readLines(db, 'select * from relasjon'),
    };
    const left = new Map(avtaler);
    return Array.from({ length: count }, (_, nr) => {
      const chosen = new Set(slice(ids.rows, nr, count).map(({ id }) => id));
      // A deleted avtale has no version, and is written once.
      if (nr === count - 1) for (const id of left.keys()) chosen.add(id);
      for (const id of chosen) left.delete(id);
      return {
        avtaler: text([...chosen].map((id) => avtaler.get(id) ?? '')),
        rows: {
          avtale_versjon: text(slice(rows.avtale_versjon, nr, count)),
          endring: text(slice(rows.endring, nr, count)),
          relasjon: text(slice(rows.relasjon, nr, count)),
        },
      };
    });
  });
}

/** Into empty tables. @returns seconds */
export function copyParts(url: string, { parts }: CopiedRows): Promise<number> {
  return withClient(url, async (db) => {
    const columns = await columnsOfAvtale(db);
    const merge = `insert into avtale select * from inn on conflict (avtale_id) do update set ${columns
      .filter((column) => column !== 'avtale_id')
      .map((column) => `${column} = excluded.${column}`)
      .join(', ')}`;
    await db.query('create temporary table inn (like avtale) on commit delete rows');
    const begun = performance.now();
    for (const { avtaler, rows } of parts) {
      await db.query('begin');
      await copyIn(db, 'inn', avtaler);
      await db.query(merge);
      for (const table of Object.keys(TABLES) as Table[]) {
        await copyIn(db, TABLES[table] === '*' ? table : `${table} (${TABLES[table]})`, rows[table]);
      }
      await db.query('commit');
    }
    return (performance.now() - begun) / 1_000;
  });
}

/** @throws when other rows have been written */
export async function requireSameRows({ sums }: CopiedRows, url: string): Promise<void> {
  const written = await sumsOf(url);
  const others = Object.keys(sums).filter((table) => sums[table] !== written[table]);
  if (others.length > 0) throw new Error(`The limit has not written the same rows of ${others.join(', ')}`);
}

function sumsOf(url: string): Promise<Record<string, string>> {
  return withClient(url, async (db) => {
    const sums: Record<string, string> = {};
    for (const [table, columns] of Object.entries({ avtale: '*', ...TABLES })) {
      const { rows } = await db.query<{ sum: string }>(
        `select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) as sum from (select ${columns} from ${table}) t`,
      );
      sums[table] = rows[0]?.sum ?? '';
    }
    return sums;
  });
}

async function readAvtaler(db: pg.Client): Promise<Map<string, string>> {
  const { rows } = await db.query<{ id: string }>('select avtale_id::text as id from avtale order by avtale_id');
  const lines = await readLines(db, 'select * from avtale order by avtale_id');
  return new Map(rows.map(({ id }, i) => [id, lines[i] ?? '']));
}

async function columnsOfAvtale(db: pg.Client): Promise<string[]> {
  const { rows } = await db.query<{ column_name: string }>(
    `select column_name from information_schema.columns where table_schema = 'public' and table_name = 'avtale'`,
  );
  return rows.map(({ column_name: name }) => name);
}

async function readLines(db: pg.Client, sql: string): Promise<string[]> {
  const parts: Buffer[] = [];
  for await (const part of db.query(copyTo(`copy (${sql}) to stdout`))) parts.push(part as Buffer);
  const lines = Buffer.concat(parts).toString('utf8').trimEnd();
  return lines === '' ? [] : lines.split('\n');
}

async function copyIn(db: pg.Client, into: string, lines: string): Promise<void> {
  if (lines !== '') await pipeline([lines], db.query(copyFrom(`copy ${into} from stdin`)));
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

function slice<T>(all: readonly T[], nr: number, count: number): T[] {
  return all.slice(Math.floor((nr * all.length) / count), Math.floor(((nr + 1) * all.length) / count));
}
