import { Readable } from 'node:stream';
import type pg from 'pg';
import { CpuMeter, cpuPer, forgetPeak, peakMemory } from '../measuring/machine.ts';
import { takeRounds } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig } from '../rig.ts';
import { withClient } from '../servers.ts';

const AVTALER = 100_000;
const OF_TRIAL = 1_000;
/** Differences of each kind, of so many avtaler one. */
const ONE_IN = 100;
const ROWS_PER_FETCH = 10_000;

/** The source's list over HTTP against a database of as many avtaler, with some differences of each kind to be found. */
export function avstemming(options: RunOptions): Promise<Findings> {
  const avtaler = options.count ?? (options.trial ? OF_TRIAL : AVTALER);
  const ofEach = Math.floor(avtaler / ONE_IN);
  const findings = new Findings({ avtaler });
  return withRig({ avtaler, lives: 'whole' }, async (rig) => {
    const system = await rig.createSystem();
    try {
      const app = await system.startIngestor();
      await withClient(system.url, async (db) => {
        await db.query('create table liste as select avtale_id, sist_endret from avtale where slettet is null');
        await plant(db, ofEach);
        const lines = Number((await db.query<{ n: string }>('select count(*) as n from liste')).rows[0]?.n);
        const token = await system.tokenForOnDuty();
        const taken = await takeRounds(rig.rounds(options), (round) =>
          round.measure(async () => {
            forgetPeak(app.proc.pid);
            const meter = new CpuMeter({ ingestor: app.proc.pid, postgres: rig.postgres.proc().pid });
            const begun = performance.now();
            await avstem(app.url, token, db, ofEach);
            const perSecond = lines / ((performance.now() - begun) / 1_000);
            return { perSecond, ...cpuPer(lines, meter.read()), memory: peakMemory(app.proc.pid) };
          }),
        );
        findings.add('', taken);
      });
      return findings;
    } finally {
      await system.stop();
    }
  });
}

/** So many of each kind, of avtaler that are old enough to count. */
async function plant(db: pg.Client, ofEach: number): Promise<void> {
  await db.query(
    `create table plantet as
     select avtale_id, (row_number() over () - 1) / ${String(ofEach)} as del
     from (select avtale_id from avtale where slettet is null and sist_endret < now() - interval '1 hour' limit ${String(4 * ofEach)}) a`,
  );
  const chosen = (part: number): string => `avtale_id in (select avtale_id from plantet where del = ${String(part)})`;
  await db.query(`delete from avtale where ${chosen(0)}`);
  await db.query(`update liste set sist_endret = sist_endret + interval '1 second' where ${chosen(1)}`);
  await db.query(`delete from liste where ${chosen(2)}`);
  await db.query(`update liste set sist_endret = sist_endret - interval '1 second' where ${chosen(3)}`);
}

/** @throws when exactly what was planted is not found */
async function avstem(url: string, token: string, db: pg.Client, ofEach: number): Promise<void> {
  const response = await fetch(`${url}/drift/v1/avstemming`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: Readable.toWeb(Readable.from(lines(db))),
    duplex: 'half',
  });
  const report = (await response.json()) as { differanser?: { antall: number; ferske: number }[] };
  if (!report.differanser?.every(({ antall: count, ferske: fresh }) => count === ofEach && fresh === 0)) {
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
