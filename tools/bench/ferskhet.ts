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
  const sett = new Set<string>();
  const fra = performance.now();
  for (let i = 0; i < meldinger.length; i += PULJE) {
    await vent(Math.max(0, fra + (i / TAKT) * 1_000 - performance.now()));
    const pulje = meldinger.slice(i, i + PULJE);
    const nye = pulje.map(({ nokkel }) => String(nokkel)).filter((id) => !sett.has(id));
    for (const id of nye) sett.add(id);
    await system.publiser(pulje);
    // The last that nobody has heard of before: it is there when it is found.
    const [ny] = nye.slice(-1);
    if (ny !== undefined) maalinger.push(tilSynlig(api, ny));
  }
  const tider = (await Promise.all(maalinger)).filter((tid) => tid !== undefined);
  if (tider.length < 50) throw new Error(`Only ${String(tider.length)} avtaler were seen`);
  return tider;
}

/** Milliseconds until the avtale is found; undefined for one that is never shown, as some are wrongly registered. */
async function tilSynlig({ url, hoder }: Maal, avtaleId: string): Promise<number | undefined> {
  const fra = performance.now();
  while (performance.now() - fra < 5_000) {
    const svar = await fetch(`${url}/api/v1/avtaler/${avtaleId}`, { headers: hoder });
    await svar.arrayBuffer();
    if (svar.status === 200) return performance.now() - fra;
    await vent(2);
  }
  return undefined;
}
