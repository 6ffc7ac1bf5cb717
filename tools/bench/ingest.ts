import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { System } from '../e2e/system.ts';
import { lagHendelser, lagOppdateringer } from '@tiltak/simulator';
import { forhold, maksRss, median } from './maaling.ts';
import { medKlient, startRigg, type Rigg } from './rigg.ts';

const RADER_PER_TRANSAKSJON = 1_000;
const TABELLER = {
  avtale: '*',
  avtale_versjon: '*',
  relasjon: '*',
  // Its transaction id belongs to the database it was written in.
  endring: 'avtale_id, type, aarsak, tidspunkt',
};
type Tabell = keyof typeof TABELLER;

interface Runde {
  /** messages per second */
  innsetting: number;
  oppdatering: number | undefined;
  grense: number;
  maksRssMiB: number;
}

/**
 * A backlog of messages, until all of them are in Postgres; and the limit, in the same round: one process that COPYs the
 * finished rows into the same tables.
 */
export async function ingest(valg: { antall: number; runder: number; oppdateringer: boolean }): Promise<unknown> {
  const rigg = await startRigg();
  try {
    const runder: Runde[] = [];
    for (let n = 0; n < valg.runder; n++) runder.push(await runde(rigg, valg));
    const innsetting = runder.map((r) => r.innsetting);
    const grense = runder.map((r) => r.grense);
    const oppdatering = runder.flatMap((r) => r.oppdatering ?? []);
    return {
      meldinger: valg.antall,
      meldingerPerSekund: median(innsetting),
      grenseMeldingerPerSekund: median(grense),
      forholdTilGrense: forhold(innsetting, grense),
      maksRssMiB: median(runder.map((r) => r.maksRssMiB)),
      ...(valg.oppdateringer
        ? { oppdateringerPerSekund: median(oppdatering), forholdTilInnsetting: forhold(oppdatering, innsetting) }
        : {}),
    };
  } finally {
    await rigg.stopp();
  }
}

async function runde(
  rigg: Rigg,
  { antall, oppdateringer }: { antall: number; oppdateringer: boolean },
): Promise<Runde> {
  const system = await System.lag({ partisjoner: 6, postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  try {
    await system.publiser([...lagHendelser({ antall })]);
    const app = await system.startIngestor();
    const innsetting = await system.maalInnlesning(antall);
    await system.kontrollerAntall();
    const grense = antall / (await kopierFerdige(rigg, system));
    let oppdatering: number | undefined;
    if (oppdateringer) {
      await app.prosess.stopp();
      await system.publiser([...lagOppdateringer({ antall })]);
      await system.startIngestor();
      oppdatering = await system.maalInnlesning(antall * 2, antall);
      await system.kontrollerAntall();
    }
    return { innsetting, oppdatering, grense, maksRssMiB: oppdateringer ? Number.NaN : maksRss(app.prosess.pid) };
  } finally {
    await system.stopp();
  }
}

/** Seconds to COPY what the system stored into empty tables of the same form, a thousand rows to a transaction. */
async function kopierFerdige(rigg: Rigg, ferdig: System): Promise<number> {
  const tom = await System.lag({ partisjoner: 1, postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  try {
    const app = await tom.startIngestor();
    await app.prosess.stopp();
    const rader = await medKlient(ferdig.url, async (db) => {
      const navn = Object.keys(TABELLER) as Tabell[];
      const linjer: [Tabell, string[]][] = [];
      for (const tabell of navn) linjer.push([tabell, await les(db, tabell)]);
      return linjer;
    });
    return await medKlient(tom.url, async (db) => {
      const fra = performance.now();
      const deler = Math.ceil(Math.max(...rader.map(([, linjer]) => linjer.length)) / RADER_PER_TRANSAKSJON);
      for (let del = 0; del < deler; del++) {
        await db.query('begin');
        for (const [tabell, linjer] of rader) {
          const per = Math.ceil(linjer.length / deler);
          const valgte = linjer.slice(del * per, (del + 1) * per);
          if (valgte.length === 0) continue;
          const kolonner = TABELLER[tabell] === '*' ? '' : `(${TABELLER[tabell]})`;
          await pipeline([`${valgte.join('\n')}\n`], db.query(copyFrom(`copy ${tabell} ${kolonner} from stdin`)));
        }
        await db.query('commit');
      }
      return (performance.now() - fra) / 1_000;
    });
  } finally {
    await tom.stopp();
  }
}

async function les(db: Parameters<Parameters<typeof medKlient>[1]>[0], tabell: Tabell): Promise<string[]> {
  const deler: Buffer[] = [];
  for await (const del of db.query(copyTo(`copy (select ${TABELLER[tabell]} from ${tabell}) to stdout`)))
    deler.push(del as Buffer);
  const linjer = Buffer.concat(deler).toString('utf8').trimEnd();
  return linjer === '' ? [] : linjer.split('\n');
}
