import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEvents, createUpdates } from '@tiltak/simulator';
import { createDatabase, createWorkDir, LOCAL_DIR, ROOT, runProgram, syntheticFnr, waitUntil } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { publishAll, textsOf, withProducer, type TextMessage } from './publish.ts';
import { startKafkaIn, startPostgresIn, withClient } from './servers.ts';

/** What a database is filled with before it is measured, by the ingestor and from messages of the source. */
export interface Stock {
  avtaler: number;
  /** all messages of an avtale, about fourteen; or only its last, for what is read without its history */
  lives: 'whole' | 'last';
}

export interface StockDescription extends Stock {
  /** organisation of the database */
  database: string;
  messages: number;
}

const DATABASE = 'bench';
/** Another number, another form of the stock: what is kept is made again. */
const FORM = 1;
const KEPT = join(LOCAL_DIR, 'bench');
/** Messages of the simulator that the stock is multiplied from; about 7,300 avtaler. */
const MAX_ORIGINAL = 100_000;
/** More than each avtale has on average, when a smaller original will do. */
const MESSAGES_EACH = 30;
const PARTITIONS = 6;

/** A copy of the data of a Postgres that is filled; made the first time, and kept for as long as the schema is the same. */
export async function copyStock(stock: Stock, dataDir: string): Promise<StockDescription> {
  const kept = join(KEPT, nameOf(stock));
  if (!existsSync(kept)) await makeStock(stock, kept);
  for (const suffix of ['', '.passord']) await copy(join(kept, `postgres${suffix}`), `${dataDir}${suffix}`);
  return JSON.parse(readFileSync(join(kept, 'stock.json'), 'utf8')) as StockDescription;
}

function nameOf({ avtaler, lives }: Stock): string {
  return `${schemaKey()}-${String(avtaler)}-${lives}`;
}

function schemaKey(): string {
  const schema = readFileSync(join(ROOT, 'libs', 'database', 'schema.sql'));
  return createHash('sha256').update(schema).update(String(FORM)).digest('hex').slice(0, 12);
}

async function copy(from: string, to: string): Promise<void> {
  const { code, printout } = await runProgram('cp', ['-a', '--reflink=auto', from, to]);
  if (code !== 0) throw new Error(`The stock could not be copied:\n${printout}`);
}

/** Appears under its name only when it is whole. What is of another schema is removed. */
async function makeStock(stock: Stock, kept: string): Promise<void> {
  console.error(`Filling a database with ${String(stock.avtaler)} avtaler, once …`);
  mkdirSync(KEPT, { recursive: true });
  for (const name of readdirSync(KEPT).filter((name) => !name.startsWith(schemaKey())))
    rmSync(join(KEPT, name), { recursive: true, force: true });
  const { directory, clean } = createWorkDir('bench-fyll');
  const unfinished = `${kept}.${String(process.pid)}`;
  try {
    const messages = await fill(stock, directory);
    const description: StockDescription = { ...stock, database: DATABASE, messages };
    mkdirSync(unfinished);
    for (const suffix of ['', '.passord'])
      await copy(join(directory, `postgres${suffix}`), join(unfinished, `postgres${suffix}`));
    writeFileSync(join(unfinished, 'stock.json'), JSON.stringify(description));
    renameSync(unfinished, kept);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    clean();
  }
}

async function fill(stock: Stock, directory: string): Promise<number> {
  const [kafka, postgres] = await Promise.all([startKafkaIn(directory), startPostgresIn(directory)]);
  let messages = 0;
  try {
    const database = await createDatabase(postgres.url, DATABASE);
    const original = textsOf(createEvents({ count: originalCount(stock.avtaler) }));
    let copies = copiesOf(original, stock);
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
  } finally {
    await Promise.all([kafka.stop(), postgres.stop()]);
  }
  return messages;
}

/** messages of one copy, made when they are asked for */
type Copy = () => TextMessage[];
const COPIES_OF_A_TOPIC = 20;

/** The original again and again, each time of other avtaler and other persons. */
export function copiesOf(original: readonly TextMessage[], { avtaler, lives }: Stock): Copy[] {
  const last = new Map(original.map((message) => [message.key, message]));
  const rename = renamer(original);
  const chosen = lives === 'whole' ? original : [...last.values()];
  const ids = [...last.keys()];
  const count = Math.ceil(avtaler / ids.length);
  return Array.from({ length: count }, (_, nr) => () => {
    const left = avtaler - nr * ids.length;
    const wanted = left >= ids.length ? undefined : new Set(ids.slice(0, left));
    return chosen.filter(({ key }) => wanted?.has(key) ?? true).map((message) => rename(message, nr));
  });
}

function renamer(original: readonly TextMessage[]): (message: TextMessage, copyNr: number) => TextMessage {
  const persons = new Map<string, number>();
  for (const { value } of original) {
    const fnr = fnrIn(value);
    if (fnr !== undefined && !persons.has(fnr)) persons.set(fnr, persons.size);
  }
  return (message, nr) => renamed(message, nr, (fnr) => syntheticFnr((persons.get(fnr) ?? 0) + nr * persons.size));
}

const PARTS = 10;

/** Changes to avtaler from all over a stock of whole lives, and no new ones: about as many messages as its original has. */
export function changesTo({ avtaler }: Stock): TextMessage[] {
  const count = originalCount(avtaler);
  const original = textsOf(createEvents({ count }));
  const rename = renamer(original);
  const ids = [...new Set(original.map(({ key }) => key))];
  const full = Math.max(1, Math.floor(avtaler / ids.length));
  const known = new Set(ids.slice(0, avtaler));
  const updates = textsOf(createUpdates({ count })).filter(({ key }) => known.has(key));
  return updates.map((message) => {
    const part = Number.parseInt(message.key.slice(0, 6), 16) % PARTS;
    return rename(message, Math.floor((part * full) / PARTS));
  });
}

export const originalCount = (avtaler: number): number => Math.min(MAX_ORIGINAL, avtaler * MESSAGES_EACH);

const fnrIn = (value: string): string | undefined => /"deltakerFnr":"(\d{11})"/.exec(value)?.[1];

/** Of another avtale and another person: the second group of the id holds which copy it is. */
export function renamed(message: TextMessage, copyNr: number, personOf: (fnr: string) => string): TextMessage {
  const group = (Number.parseInt(message.key.slice(9, 13), 16) + copyNr) % 0x10000;
  const key = `${message.key.slice(0, 9)}${group.toString(16).padStart(4, '0')}${message.key.slice(13)}`;
  const fnr = fnrIn(message.value);
  const value = message.value
    .replaceAll(message.key, key)
    .replace(/"avtaleNr":(\d+)/, (_, number: string) => `"avtaleNr":${String(Number(number) + copyNr * 10_000)}`);
  return { key, value: fnr === undefined ? value : value.replaceAll(fnr, personOf(fnr)) };
}

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
  await withClient(url, (db) => db.query('delete from konsum_status; delete from konsum_offset'));
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
