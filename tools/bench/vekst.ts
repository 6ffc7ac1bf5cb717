import { lagHendelser } from '@tiltak/simulator';
import { System } from '../e2e/system.ts';
import { jevnLast } from './jevn-last.ts';
import { forhold, maksRss, median } from './maaling.ts';
import { fyll, lagForesporsler, ventPaaSvar, type Maal } from './query.ts';
import { startRigg, type Rigg } from './rigg.ts';

const GRUNNLAG = 100_000;
const MELDINGER = 40_000;
const LAST = { forbindelser: 32, takt: 500, sekunder: 5 };

interface Maalt {
  p99Ms: number;
  innlesning: number;
  rssMiB: number;
}

/** Look-ups and ingest with 100,000 avtaler in the table, and with `avtaler`. */
export async function vekst({ avtaler, runder }: { avtaler: number; runder: number }): Promise<unknown> {
  const rigg = await startRigg();
  try {
    const smaa: Maalt[] = [];
    const store: Maalt[] = [];
    for (let n = 0; n < runder; n++) {
      smaa.push(await maal(rigg, GRUNNLAG));
      store.push(await maal(rigg, avtaler));
    }
    const kolonne = (maalinger: Maalt[], navn: keyof Maalt): number[] => maalinger.map((maalt) => maalt[navn]);
    const par = (navn: keyof Maalt): object => ({
      [String(GRUNNLAG)]: median(kolonne(smaa, navn)),
      [String(avtaler)]: median(kolonne(store, navn)),
      forhold: forhold(kolonne(store, navn), kolonne(smaa, navn)),
    });
    return { p99Ms: par('p99Ms'), meldingerPerSekund: par('innlesning'), maksRssMiB: par('rssMiB') };
  } finally {
    await rigg.stopp();
  }
}

async function maal(rigg: Rigg, avtaler: number): Promise<Maalt> {
  const system = await System.lag({ partisjoner: 6, postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  try {
    const foerste = await system.startIngestor();
    const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
    const api: Maal = { url, hoder: await system.som('alt') };
    await fyll(system.url, avtaler);
    await ventPaaSvar(api);
    const foresporsler = lagForesporsler('sok', { avtaler });
    await jevnLast(api, foresporsler, LAST);
    const { p99Ms } = await jevnLast(api, foresporsler, LAST);
    await foerste.prosess.stopp();
    await system.publiser([...lagHendelser({ antall: MELDINGER })]);
    const app = await system.startIngestor();
    const innlesning = await system.maalInnlesning(MELDINGER);
    await system.kontrollerPublisert();
    return { p99Ms, innlesning, rssMiB: maksRss(app.prosess.pid) };
  } finally {
    await system.stopp();
  }
}
