import { setTimeout as vent } from 'node:timers/promises';
import { lagHendelser } from '@tiltak/simulator';
import { System, type Melding } from '../e2e/system.ts';
import { median, p99 } from './maaling.ts';
import { ventPaaSvar, type Maal } from './query.ts';
import { startRigg } from './rigg.ts';

const TAKT = 500;
const SEKUNDER = 20;
/** messages published together, at this rate ten times a second */
const PULJE = TAKT / 10;

/** How long after a message was acknowledged by Kafka it stands in an answer, at 500 messages a second. */
export async function ferskhet({ runder }: { runder: number }): Promise<unknown> {
  const rigg = await startRigg();
  const system = await System.lag({ partisjoner: 6, postgres: rigg.postgres.url, brokers: rigg.kafka.brokers });
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
    const api: Maal = { url, hoder: await system.som('alt') };
    await system.publiser([...lagHendelser({ antall: 2_000, seed: 1 })]);
    await system.ventPaaInnlest();
    await ventPaaSvar(api);
    const perRunde: { p50: number; p99: number }[] = [];
    for (let n = 0; n < runder; n++) {
      const tider = await runde(system, api, [...lagHendelser({ antall: TAKT * SEKUNDER, seed: 100 + n })]);
      perRunde.push({ p50: [...tider].sort((a, b) => a - b)[tider.length >> 1] ?? Number.NaN, p99: p99(tider) });
    }
    return {
      meldingerPerSekund: TAKT,
      p50Ms: median(perRunde.map((r) => r.p50)),
      p99Ms: median(perRunde.map((r) => r.p99)),
    };
  } finally {
    await system.stopp();
    await rigg.stopp();
  }
}

async function runde(system: System, api: Maal, meldinger: Melding[]): Promise<number[]> {
  const maalinger: Promise<number | undefined>[] = [];
  const fra = performance.now();
  for (let i = 0; i < meldinger.length; i += PULJE) {
    await vent(Math.max(0, fra + (i / TAKT) * 1_000 - performance.now()));
    const pulje = meldinger.slice(i, i + PULJE);
    await system.publiser(pulje);
    maalinger.push(tilSynlig(api, pulje.at(-1)));
  }
  return (await Promise.all(maalinger)).filter((tid) => tid !== undefined);
}

/** Milliseconds until the avtale is answered as new as this message; undefined for one that is never shown. */
async function tilSynlig({ url, hoder }: Maal, melding: Melding | undefined): Promise<number | undefined> {
  const fra = performance.now();
  const { avtaleId, sistEndret, feilregistrert, slettemerket } = JSON.parse(String(melding?.verdi)) as Record<
    string,
    unknown
  >;
  if (feilregistrert === true || slettemerket !== undefined) return undefined;
  while (performance.now() - fra < 5_000) {
    const svar = await fetch(`${url}/api/v1/avtaler/${String(avtaleId)}`, { headers: hoder });
    const { sistEndret: vist } = (await svar.json()) as { sistEndret?: string };
    if (vist !== undefined && Date.parse(vist) >= Date.parse(String(sistEndret))) return performance.now() - fra;
    await vent(2);
  }
  return undefined;
}
