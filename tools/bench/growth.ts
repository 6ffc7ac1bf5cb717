import { createEvents } from '@tiltak/simulator';
import { System } from '../e2e/system.ts';
import { steadyLoad } from './steady-load.ts';
import { ratio, maxRss, median } from './measure.ts';
import { fill, createRequests, waitForAnswer, type Target } from './query.ts';
import { startRig, type Rig } from './rig.ts';

const BASELINE = 100_000;
const MESSAGES = 40_000;
const LOAD = { connections: 32, takt: 500, seconds: 5 };

interface Measured {
  p99Ms: number;
  ingest: number;
  rssMiB: number;
}

/** Look-ups and ingest with 100,000 avtaler in the table, and with `avtaler`. */
export async function growth({ avtaler, rounds }: { avtaler: number; rounds: number }): Promise<unknown> {
  const rig = await startRig();
  try {
    const small: Measured[] = [];
    const large: Measured[] = [];
    for (let n = 0; n < rounds; n++) {
      small.push(await measure(rig, BASELINE));
      large.push(await measure(rig, avtaler));
    }
    const column = (measurements: Measured[], name: keyof Measured): number[] =>
      measurements.map((measured) => measured[name]);
    const pair = (name: keyof Measured): object => ({
      [String(BASELINE)]: median(column(small, name)),
      [String(avtaler)]: median(column(large, name)),
      ratio: ratio(column(large, name), column(small, name)),
    });
    return { p99Ms: pair('p99Ms'), messagesPerSecond: pair('ingest'), maxRssMiB: pair('rssMiB') };
  } finally {
    await rig.stop();
  }
}

async function measure(rig: Rig, avtaler: number): Promise<Measured> {
  const system = await System.create({ partitions: 6, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    const first = await system.startIngestor();
    const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
    const api: Target = { url, headers: await system.as('alt') };
    await fill(system.url, avtaler);
    await waitForAnswer(api);
    const requests = createRequests('sok', { avtaler });
    await steadyLoad(api, requests, LOAD);
    const { p99Ms } = await steadyLoad(api, requests, LOAD);
    await first.proc.stop();
    await system.publish([...createEvents({ count: MESSAGES })]);
    const app = await system.startIngestor();
    const ingest = await system.measureIngest(MESSAGES);
    await system.checkPublished();
    return { p99Ms, ingest, rssMiB: maxRss(app.proc.pid) };
  } finally {
    await system.stop();
  }
}
