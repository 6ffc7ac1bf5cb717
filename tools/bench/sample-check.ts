import { System } from '../e2e/system.ts';
import type { Copies } from './copies.ts';
import { withClient, type Servers } from './servers.ts';

const SAMPLED_COPIES = 4;
const SAMPLED_PERSONS = 25;

/**
 * Persons from all over what SQL has made, against what the ingestor makes of the messages of their avtaler in an empty
 * database: every row of theirs but for when and from where it came.
 *
 * @throws when a row is another, or is there on one side only
 */
export async function requireSameAsIngested(
  { kafka, postgres }: Servers,
  url: string,
  copies: Copies,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const step = Math.max(1, Math.floor((to - from) / SAMPLED_COPIES));
  const chosen = Array.from({ length: SAMPLED_COPIES }, (_, n) => from + n * step).filter((nr) => nr < to);
  const system = await System.create({ postgres: postgres.url, brokers: kafka.brokers });
  try {
    const sampled = await Promise.all(chosen.map((nr) => readSample(url, copies, nr)));
    const ids = sampled.flatMap((sample) => sample.ids);
    if (ids.length < sampled.length) throw new Error('Nothing was made that could be compared');
    await system.startIngestor();
    await system.publish(sampled.flatMap(({ nr, known }) => copies.messagesOf(nr, known)));
    await system.waitForIngested();
    const persons = sampled.flatMap((sample) => sample.persons);
    const [made, ingested] = [await readRows(url, ids, persons), await readRows(system.url, ids, persons)];
    for (const [table, rows] of Object.entries(ingested)) requireSame(table, rows, made[table] ?? []);
    console.error(`  ${String(persons.length)} persons are as the ingestor makes them: ${String(ids.length)} avtaler`);
  } finally {
    await system.stop();
  }
}

interface Sample {
  nr: number;
  /** opaque ids */
  persons: string[];
  /** of all avtaler that are or were theirs */
  ids: string[];
  /** the same by their ids in the original */
  known: ReadonlySet<string>;
}

async function readSample(url: string, copies: Copies, nr: number): Promise<Sample> {
  const own = new Map(copies.ids.map((key) => [copies.idOf(nr, key), key]));
  return withClient(url, async (db) => {
    const { rows: chosen } = await db.query<{ id: string }>(
      `select distinct deltaker_id as id from avtale where avtale_id = any($1) and deltaker_id is not null limit $2`,
      [[...own.keys()], SAMPLED_PERSONS],
    );
    const persons = chosen.map(({ id }) => id);
    const { rows } = await db.query<{ id: string }>(
      `select avtale_id as id from avtale where deltaker_id = any($1)
       union select avtale_id from avtale_versjon where deltaker_id = any($1)`,
      [persons],
    );
    const ids = rows.map(({ id }) => id);
    return { nr, persons, ids, known: new Set(ids.map((id) => own.get(id) ?? '')) };
  });
}

/** Where a message lay, and when it came. */
const OF_ITS_WAY = new Set(
  'kilde_partisjon kilde_offset kilde_epoke kilde_skrevet kilde_slett_foer kilde_minne mottatt laert lopenr'.split(' '),
);

/** Times to the microsecond. */
const ROWS = 'select to_jsonb(t) as row';

type Rows = Record<string, Record<string, unknown>[]>;

async function readRows(url: string, ids: readonly string[], persons: readonly string[]): Promise<Rows> {
  return withClient(url, async (db) => {
    const read = async (sql: string, values: unknown[]): Promise<Record<string, unknown>[]> => {
      const { rows } = await db.query<{ row: Record<string, unknown> }>(sql, values);
      return rows.map(({ row }) => Object.fromEntries(Object.entries(row).filter(([name]) => !OF_ITS_WAY.has(name))));
    };
    return {
      avtale: await read(`${ROWS} from avtale t where avtale_id = any($1) order by avtale_id`, [ids]),
      avtale_versjon: await read(`${ROWS} from avtale_versjon t where avtale_id = any($1) order by avtale_id, lopenr`, [
        ids,
      ]),
      relasjon: await read(
        `${ROWS} from relasjon t where deltaker_id = any($1) order by deltaker_id, fra, relasjon, til`,
        [persons],
      ),
    };
  });
}

/** Tells of columns only: rows hold what could be idents. */
function requireSame(table: string, ingested: Rows[string], made: Rows[string]): void {
  if (ingested.length !== made.length)
    throw new Error(`${table}: SQL made ${String(made.length)} rows, the ingestor ${String(ingested.length)}`);
  for (const [i, row] of ingested.entries()) {
    const other = made[i] ?? {};
    const different = Object.keys(row).filter((name) => JSON.stringify(row[name]) !== JSON.stringify(other[name]));
    if (different.length > 0) throw new Error(`${table}: another ${different.join(', ')} than the ingestor makes`);
  }
}
