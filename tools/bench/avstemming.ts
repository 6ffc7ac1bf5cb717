import { Readable } from 'node:stream';
import type pg from 'pg';
import { System } from '../e2e/system.ts';
import { maxRss, median } from './measure.ts';
import { fill } from './query.ts';
import { withClient, startRig } from './rig.ts';

const OF_EACH = 1_000;
const ROWS_PER_FETCH = 10_000;

/** The source's list over HTTP against a database of as many avtaler, with some differences of each kind to be found. */
export async function avstemming({ avtaler, rounds }: { avtaler: number; rounds: number }): Promise<unknown> {
  const rig = await startRig();
  const system = await System.create({ postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    const app = await system.startIngestor();
    await fill(system.url, avtaler);
    const before = maxRss(app.proc.pid);
    const perSecond: number[] = [];
    await withClient(system.url, async (db) => {
      await db.query('create table liste as select avtale_id, sist_endret from avtale');
      await plant(db);
      for (let n = 0; n < rounds; n++) {
        const from = performance.now();
        await avstem(app.url, await system.tokenForOnDuty(), db);
        perSecond.push(avtaler / ((performance.now() - from) / 1_000));
      }
    });
    return {
      avtaler,
      linesPerSecond: median(perSecond),
      rssBeforeMiB: Math.round(before),
      maxRssMiB: Math.round(maxRss(app.proc.pid)),
    };
  } finally {
    await system.stop();
    await rig.stop();
  }
}

/** `OF_EACH` of each kind, of avtaler that are old enough to count. */
async function plant(db: pg.Client): Promise<void> {
  await db.query(
    `create table plantet as
     select avtale_id, (row_number() over () - 1) / ${String(OF_EACH)} as del
     from (select avtale_id from avtale where sist_endret < now() - interval '1 hour' limit ${String(4 * OF_EACH)}) a`,
  );
  const chosen = (part: number): string => `avtale_id in (select avtale_id from plantet where del = ${String(part)})`;
  await db.query(`delete from avtale where ${chosen(0)}`);
  await db.query(`update liste set sist_endret = sist_endret + interval '1 second' where ${chosen(1)}`);
  await db.query(`delete from liste where ${chosen(2)}`);
  await db.query(`update liste set sist_endret = sist_endret - interval '1 second' where ${chosen(3)}`);
}

/** @throws when exactly what was planted is not found */
async function avstem(url: string, token: string, db: pg.Client): Promise<void> {
  const response = await fetch(`${url}/drift/v1/avstemming`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: Readable.toWeb(Readable.from(lines(db))),
    duplex: 'half',
  });
  const report = (await response.json()) as { differanser?: { antall: number; ferske: number }[] };
  if (!report.differanser?.every(({ antall: count, ferske: fresh }) => count === OF_EACH && fresh === 0)) {
    throw new Error(`The reconciliation did not find what was planted: ${JSON.stringify(report)}`);
  }
}

async function* lines(db: pg.Client): AsyncGenerator<Buffer> {
  await db.query('begin');
  await db.query(
    `declare l cursor for select json_build_object('avtaleId', avtale_id, 'sistEndret', to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text as line from liste`,
  );
  for (let fetched = ROWS_PER_FETCH; fetched === ROWS_PER_FETCH;) {
    const { rows } = await db.query<{ line: string }>(`fetch ${String(ROWS_PER_FETCH)} from l`);
    if (rows.length > 0) yield Buffer.from(rows.map(({ line }) => `${line}\n`).join(''));
    fetched = rows.length;
  }
  await db.query('commit');
}
