import { Readable } from 'node:stream';
import type pg from 'pg';
import { System } from '../e2e/system.ts';
import { maksRss, median } from './maaling.ts';
import { fyll } from './query.ts';
import { medKlient, startRigg } from './rigg.ts';

const AV_HVER = 1_000;
const PER_BIT = 10_000;

/** The source's list over HTTP against a database of as many avtaler, with some differences of each kind to be found. */
export async function avstemming({ avtaler, runder }: { avtaler: number; runder: number }): Promise<unknown> {
  const rigg = await startRigg();
  const system = await System.lag({ postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  try {
    const app = await system.startIngestor();
    await fyll(system.url, avtaler);
    const foer = maksRss(app.prosess.pid);
    const perSekund: number[] = [];
    await medKlient(system.url, async (db) => {
      await db.query('create table liste as select avtale_id, sist_endret from avtale');
      await plant(db);
      for (let n = 0; n < runder; n++) {
        const fra = performance.now();
        await avstem(app.url, await system.tokenForVakt(), db);
        perSekund.push(avtaler / ((performance.now() - fra) / 1_000));
      }
    });
    return {
      avtaler,
      linjerPerSekund: median(perSekund),
      rssFoerMiB: Math.round(foer),
      maksRssMiB: Math.round(maksRss(app.prosess.pid)),
    };
  } finally {
    await system.stopp();
    await rigg.stopp();
  }
}

/** `AV_HVER` of each kind, of avtaler that are old enough to count. */
async function plant(db: pg.Client): Promise<void> {
  await db.query(
    `create table plantet as
     select avtale_id, (row_number() over () - 1) / ${String(AV_HVER)} as del
     from (select avtale_id from avtale where sist_endret < now() - interval '1 hour' limit ${String(4 * AV_HVER)}) a`,
  );
  const valgt = (del: number): string => `avtale_id in (select avtale_id from plantet where del = ${String(del)})`;
  await db.query(`delete from avtale where ${valgt(0)}`);
  await db.query(`update liste set sist_endret = sist_endret + interval '1 second' where ${valgt(1)}`);
  await db.query(`delete from liste where ${valgt(2)}`);
  await db.query(`update liste set sist_endret = sist_endret - interval '1 second' where ${valgt(3)}`);
}

/** @throws when exactly what was planted is not found */
async function avstem(url: string, token: string, db: pg.Client): Promise<void> {
  const svar = await fetch(`${url}/drift/v1/avstemming`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: Readable.toWeb(Readable.from(linjer(db))),
    duplex: 'half',
  });
  const rapport = (await svar.json()) as { differanser?: { antall: number; ferske: number }[] };
  if (!rapport.differanser?.every(({ antall, ferske }) => antall === AV_HVER && ferske === 0)) {
    throw new Error(`The reconciliation did not find what was planted: ${JSON.stringify(rapport)}`);
  }
}

async function* linjer(db: pg.Client): AsyncGenerator<Buffer> {
  await db.query('begin');
  await db.query(
    `declare l cursor for select json_build_object('avtaleId', avtale_id, 'sistEndret', to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text as linje from liste`,
  );
  for (let bit = PER_BIT; bit === PER_BIT;) {
    const { rows } = await db.query<{ linje: string }>(`fetch ${String(PER_BIT)} from l`);
    if (rows.length > 0) yield Buffer.from(rows.map(({ linje }) => `${linje}\n`).join(''));
    bit = rows.length;
  }
  await db.query('commit');
}
