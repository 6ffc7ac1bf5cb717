import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { createDatabase, createWorkDir, LOCAL_DIR, ROOT, runProgram, waitUntil } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { copiesOf, Copies, originalOf, YEARS, type Copy, type WholeCopies } from './copies.ts';
import { multiply } from './multiply.ts';
import { publishAll, withProducer } from './publish.ts';
import { requireSameAsIngested } from './sample-check.ts';
import { withClient, withServers } from './servers.ts';

/** What a database is filled with before it is measured, by the ingestor and from messages of the source. */
export interface Stock {
  avtaler: number;
  /** all messages of an avtale, about fourteen; or only its last, for what is read without its history */
  lives: 'whole' | 'last';
  /** over ten years, and more than the ingestor reads in; of whole lives only */
  growth?: Growth;
}

export interface Growth {
  /** of the avtaler, so many come through the ingestor, and the others are made of them by SQL */
  ingested: number;
}

export interface StockDescription extends Stock {
  /** organisation of the database */
  database: string;
  messages: number;
  /** copies of the original that it is made of */
  copies: WholeCopies;
}

const DATABASE = 'bench';
/** Another number, another form of the stock: what is kept is made again. */
const FORM = 2;
let kept = join(LOCAL_DIR, 'bench');

/** Elsewhere, when there is no room for them in the project's own directory. */
export function keepStockIn(directory: string): void {
  kept = resolve(directory);
}
const PARTITIONS = 6;

/** A copy of the data of a Postgres that is filled; made the first time, and kept for as long as the schema is the same. */
export async function copyStock(stock: Stock, directory: string): Promise<StockDescription> {
  const place = await keptStock(stock);
  await copyData(place, directory);
  return describe(basename(place));
}

/** For use in its own place, after which it is no stock any more: of one that the disk does not hold twice. */
export async function takeStock(stock: Stock, directory: string): Promise<StockDescription> {
  const place = await keptStock(stock);
  const description = describe(basename(place));
  for (const suffix of ['', '.passord'])
    renameSync(join(place, `postgres${suffix}`), join(directory, `postgres${suffix}`));
  rmSync(place, { recursive: true });
  return description;
}

/** The directory of the stock itself, made when there is none. */
export async function keptStock(stock: Stock): Promise<string> {
  const place = join(kept, nameOf(stock));
  if (!existsSync(place)) await makeStock(stock, place);
  return place;
}

const describe = (name: string): StockDescription =>
  JSON.parse(readFileSync(join(kept, name, 'stock.json'), 'utf8')) as StockDescription;

function nameOf(stock: Stock): string {
  return `${familyOf(stock)}-${String(stock.avtaler)}`;
}

/** The larger ones of growth are made of the smaller. */
function familyOf({ lives, growth }: Stock): string {
  const form = growth ? `vekst-${String(growth.ingested)}` : lives;
  return `${schemaKey()}-${form}`;
}

function schemaKey(): string {
  const schema = readFileSync(join(ROOT, 'libs', 'database', 'schema.sql'));
  return createHash('sha256').update(schema).update(String(FORM)).digest('hex').slice(0, 12);
}

async function copyData(from: string, to: string): Promise<void> {
  for (const suffix of ['', '.passord']) {
    const [source, target] = [from, to].map((directory) => join(directory, `postgres${suffix}`)) as [string, string];
    const { code, printout } = await runProgram('cp', ['-a', '--reflink=auto', source, target]);
    if (code !== 0) throw new Error(`The stock could not be copied:\n${printout}`);
  }
}

/** Appears under its name only when it is whole. What is of another schema is removed. */
async function makeStock(stock: Stock, place: string): Promise<void> {
  console.error(`Filling a database with ${String(stock.avtaler)} avtaler, once …`);
  mkdirSync(kept, { recursive: true });
  // What lies there beside stocks is somebody else's.
  const stocks = readdirSync(kept).filter((name) => /^[0-9a-f]{12}-/.test(name));
  for (const name of stocks.filter((name) => !name.startsWith(schemaKey())))
    rmSync(join(kept, name), { recursive: true, force: true });
  const { directory, clean } = createWorkDir('bench-fyll');
  const unfinished = `${place}.${String(process.pid)}`;
  try {
    const description = isIngested(stock) ? await fill(stock, directory) : await multiplyInto(stock, directory);
    mkdirSync(unfinished);
    for (const suffix of ['', '.passord'])
      renameSync(join(directory, `postgres${suffix}`), join(unfinished, `postgres${suffix}`));
    writeFileSync(join(unfinished, 'stock.json'), JSON.stringify(description));
    renameSync(unfinished, place);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    clean();
  }
}

const isIngested = ({ avtaler, growth }: Stock): boolean => !growth || avtaler <= growth.ingested;

async function fill(stock: Stock, directory: string): Promise<StockDescription> {
  return withServers(directory, async ({ kafka, postgres }) => {
    const database = await createDatabase(postgres.url, DATABASE);
    const original = originalOf(stock);
    let copies = copiesOf(original, stock);
    const whole = wholeCopies(stock.avtaler / new Copies(original, stock).ids.length);
    let messages = 0;
    // A topic that has been read is removed before the next one: all of them would not fit on a disk.
    while (copies.length > 0) {
      const place = { partitions: PARTITIONS, postgres: postgres.url, brokers: kafka.brokers };
      const system = await System.create({ ...place, database });
      messages += await readIn(system, copies.slice(0, COPIES_OF_A_TOPIC));
      copies = copies.slice(COPIES_OF_A_TOPIC);
      await system.stop();
      if (copies.length > 0) await forgetTopic(database.url);
    }
    await finish(database.url, stock);
    return { ...stock, database: DATABASE, messages, copies: whole };
  });
}

const wholeCopies = (copies: number): WholeCopies => ({
  count: Math.ceil(copies),
  without: Number.isInteger(copies) ? [] : [Math.floor(copies)],
});

/** Of the next smaller one that there is, by SQL; some of what is made so is held against the ingestor. */
async function multiplyInto(stock: Stock, directory: string): Promise<StockDescription> {
  const smaller = await keptStock({ ...stock, avtaler: largestBelow(stock) });
  const before = describe(basename(smaller));
  await copyData(smaller, directory);
  const copies = new Copies(originalOf(stock), stock);
  if (Math.min(before.copies.count, ...before.copies.without) < YEARS)
    throw new Error('Too few avtaler come through the ingestor: not a copy of each year');
  return withServers(directory, async (servers) => {
    const { url } = await createDatabase(servers.postgres.url, DATABASE);
    const made = await multiply(url, copies, { first: before.copies.count, avtaler: stock.avtaler - before.avtaler });
    await requireSameAsIngested(servers, url, copies, { from: before.copies.count, to: made.next });
    await finish(url, stock);
    const without = [...before.copies.without, ...(made.partial === undefined ? [] : [made.partial])];
    return { ...before, ...stock, copies: { count: made.next, without } };
  });
}

/** In the same family; else as many as come through the ingestor. */
function largestBelow(stock: Stock): number {
  const family = `${familyOf(stock)}-`;
  const sizes = readdirSync(kept)
    .filter((name) => name.startsWith(family) && existsSync(join(kept, name, 'stock.json')))
    .map((name) => Number(name.slice(family.length)))
    .filter((size) => size < stock.avtaler);
  return Math.max(stock.growth?.ingested ?? 0, ...sizes);
}

const COPIES_OF_A_TOPIC = 20;

async function readIn(system: System, copies: readonly Copy[]): Promise<number> {
  const { brokers, topic } = system.env;
  await system.startIngestor();
  let published = 0;
  await withProducer(brokers, async (producer) => {
    for (const copy of copies) {
      const messages = copy();
      await publishAll(producer, { topic, partitions: PARTITIONS }, messages);
      published += messages.length;
    }
  });
  await waitUntil(async () => (await storedOf(system)) === published, {
    what: 'the stock to be stored',
    maxMs: 3_600_000,
    everyMs: 500,
  });
  await waitUntil(() => isLoaded(system), { what: 'the first load to be done' });
  return published;
}

/** Else nothing is answered from the copies. */
async function isLoaded(system: System): Promise<boolean> {
  const [row] = await system.sql<{ done: boolean | null }>(
    'select bool_and(oppdatert_til is not null) as done from konsum_status',
  );
  return row?.done === true;
}

async function forgetTopic(url: string): Promise<void> {
  await withClient(url, (db) =>
    db.query('delete from konsum_status; delete from ressurs_status; delete from konsum_offset'),
  );
}

/** Messages of the system's own topic that are stored, whatever was read before it. */
export async function storedOf(system: System): Promise<number> {
  const [row] = await system.sql<{ n: string }>(
    'select coalesce(sum(neste_offset), 0) as n from konsum_offset where topic = $1',
    [system.env.topic],
  );
  return Number(row?.n);
}

async function finish(url: string, { avtaler }: Stock): Promise<void> {
  await withClient(url, async (db) => {
    const { rows } = await db.query<{ n: number }>('select count(*)::int as n from avtale');
    if (rows[0]?.n !== avtaler) throw new Error(`There are ${String(rows[0]?.n)} avtaler in the stock`);
    // That topic is gone; what is published later is counted from nothing.
    await db.query('delete from konsum_offset');
    await db.query('vacuum (analyze)');
    await db.query('checkpoint');
  });
}
