import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { System } from '../e2e/system.ts';
import { createEvents, createUpdates } from '@tiltak/simulator';
import { ratio, maxRss, median } from './measure.ts';
import { withClient, startRig, type Rig } from './rig.ts';

const ROWS_PER_TRANSACTION = 1_000;
const TABLES = {
  avtale: '*',
  avtale_versjon: '*',
  relasjon: '*',
  // Its transaction id belongs to the database it was written in.
  endring: 'avtale_id, type, aarsak, tidspunkt',
};
type Table = keyof typeof TABLES;

interface Round {
  /** messages per second */
  insertion: number;
  update: number | undefined;
  limit: number;
  maxRssMiB: number;
}

/**
 * A backlog of messages, until all of them are in Postgres; and the limit, in the same round: one process that COPYs the
 * finished rows into the same tables.
 */
export async function ingest(options: { antall: number; rounds: number; oppdateringer: boolean }): Promise<unknown> {
  const rig = await startRig();
  try {
    const rounds: Round[] = [];
    for (let n = 0; n < options.rounds; n++) rounds.push(await round(rig, options));
    const insertion = rounds.map((r) => r.insertion);
    const limit = rounds.map((r) => r.limit);
    const update = rounds.flatMap((r) => r.update ?? []);
    return {
      meldinger: options.antall,
      messagesPerSecond: median(insertion),
      limitMessagesPerSecond: median(limit),
      ratioToLimit: ratio(insertion, limit),
      maxRssMiB: median(rounds.map((r) => r.maxRssMiB)),
      ...(options.oppdateringer
        ? { updatesPerSecond: median(update), ratioToInsertion: ratio(update, insertion) }
        : {}),
    };
  } finally {
    await rig.stop();
  }
}

async function round(
  rig: Rig,
  { antall: count, oppdateringer: updates }: { antall: number; oppdateringer: boolean },
): Promise<Round> {
  const system = await System.create({ partitions: 6, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    await system.publish([...createEvents({ count })]);
    const app = await system.startIngestor();
    const insertion = await system.measureIngest(count);
    await system.checkCount();
    const limit = count / (await secondsToCopy(rig, system));
    let update: number | undefined;
    if (updates) {
      await app.proc.stop();
      await system.publish([...createUpdates({ count })]);
      await system.startIngestor();
      update = await system.measureIngest(count * 2, count);
      await system.checkCount();
    }
    return { insertion, update, limit, maxRssMiB: updates ? Number.NaN : maxRss(app.proc.pid) };
  } finally {
    await system.stop();
  }
}

/** Seconds to COPY what the system stored into empty tables of the same form, a thousand rows to a transaction. */
async function secondsToCopy(rig: Rig, filled: System): Promise<number> {
  const empty = await System.create({ partitions: 1, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    const app = await empty.startIngestor();
    await app.proc.stop();
    const rows = await withClient(filled.url, async (db) => {
      const tables = Object.keys(TABLES) as Table[];
      const lines: [Table, string[]][] = [];
      for (const table of tables) lines.push([table, await read(db, table)]);
      return lines;
    });
    return await withClient(empty.url, async (db) => {
      const from = performance.now();
      const parts = Math.ceil(Math.max(...rows.map(([, lines]) => lines.length)) / ROWS_PER_TRANSACTION);
      for (let part = 0; part < parts; part++) {
        await db.query('begin');
        for (const [table, lines] of rows) {
          const per = Math.ceil(lines.length / parts);
          const chosen = lines.slice(part * per, (part + 1) * per);
          if (chosen.length === 0) continue;
          const columns = TABLES[table] === '*' ? '' : `(${TABLES[table]})`;
          await pipeline([`${chosen.join('\n')}\n`], db.query(copyFrom(`copy ${table} ${columns} from stdin`)));
        }
        await db.query('commit');
      }
      return (performance.now() - from) / 1_000;
    });
  } finally {
    await empty.stop();
  }
}

async function read(db: Parameters<Parameters<typeof withClient>[1]>[0], table: Table): Promise<string[]> {
  const parts: Buffer[] = [];
  for await (const part of db.query(copyTo(`copy (select ${TABLES[table]} from ${table}) to stdout`)))
    parts.push(part as Buffer);
  const lines = Buffer.concat(parts).toString('utf8').trimEnd();
  return lines === '' ? [] : lines.split('\n');
}
