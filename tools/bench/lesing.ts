import { lagHendelser } from '@tiltak/simulator';
import { System } from '../e2e/system.ts';
import { jevnLast } from './jevn-last.ts';
import { forhold, median } from './maaling.ts';
import { fyll, lagForesporsler, ventPaaSvar, type Maal } from './query.ts';
import { startRigg } from './rigg.ts';

const AVTALER = 100_000;
const LAST = { forbindelser: 32, takt: 200, sekunder: 5 };

/** Look-ups at an even 200 a second: with nothing else to do, and while a backlog is read in. None may fail. */
export async function lesing({ antall, runder }: { antall: number; runder: number }): Promise<unknown> {
  const rigg = await startRigg();
  const rolig: number[] = [];
  const underInnlesning: number[] = [];
  try {
    for (let n = 0; n < runder; n++) {
      const system = await System.lag({ partisjoner: 6, postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
      try {
        const { rolige, travle } = await runde(system, antall);
        rolig.push(rolige);
        underInnlesning.push(travle);
      } finally {
        await system.stopp();
      }
    }
    return {
      oppslagPerSekund: LAST.takt,
      p99MsRolig: median(rolig),
      p99MsUnderInnlesning: median(underInnlesning),
      ganger: forhold(underInnlesning, rolig),
    };
  } finally {
    await rigg.stopp();
  }
}

async function runde(system: System, antall: number): Promise<{ rolige: number; travle: number }> {
  const foerste = await system.startIngestor();
  const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
  const api: Maal = { url, hoder: await system.som('alt') };
  await fyll(system.url, AVTALER);
  await ventPaaSvar(api);
  const foresporsler = lagForesporsler('tiltaksstatus', { avtaler: AVTALER });
  await jevnLast(api, foresporsler, LAST);
  const { p99Ms: rolige } = await jevnLast(api, foresporsler, LAST);
  await foerste.prosess.stopp();
  await system.publiser([...lagHendelser({ antall })]);
  await system.startIngestor();
  const { p99Ms: travle } = await jevnLast(api, foresporsler, LAST);
  if ((await system.innlest()) >= antall) throw new Error('The backlog was read before the look-ups were: use more');
  await system.ventPaaInnlest(600_000);
  await system.kontrollerPublisert();
  return { rolige, travle };
}
