import { setTimeout as wait } from 'node:timers/promises';
import { createEvents } from '@tiltak/simulator';
import { System, type PublishedMessage } from '../e2e/system.ts';
import { median, p99 } from './measure.ts';
import { waitForAnswer, type Target } from './query.ts';
import { startRig } from './rig.ts';

const PACE = 500;
const SECONDS = 20;
/** messages published together, at this rate ten times a second */
const BATCH = PACE / 10;

/** How long after a message was acknowledged by Kafka it stands in an answer, at 500 messages a second. */
export async function freshness({ rounds }: { rounds: number }): Promise<unknown> {
  const rig = await startRig();
  const system = await System.create({ partitions: 6, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
    const api: Target = { url, headers: await system.as('alt') };
    await system.publish([...createEvents({ count: 2_000, seed: 1 })]);
    await system.waitForIngested();
    await waitForAnswer(api);
    const perRound: { p50: number; p99: number }[] = [];
    for (let n = 0; n < rounds; n++) {
      const times = await round(system, api, [...createEvents({ count: PACE * SECONDS, seed: 100 + n })]);
      perRound.push({ p50: [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN, p99: p99(times) });
    }
    return {
      messagesPerSecond: PACE,
      p50Ms: median(perRound.map((r) => r.p50)),
      p99Ms: median(perRound.map((r) => r.p99)),
    };
  } finally {
    await system.stop();
    await rig.stop();
  }
}

async function round(system: System, api: Target, messages: PublishedMessage[]): Promise<number[]> {
  const measurements: Promise<number | undefined>[] = [];
  const seen = new Set<string>();
  const from = performance.now();
  for (let i = 0; i < messages.length; i += BATCH) {
    await wait(Math.max(0, from + (i / PACE) * 1_000 - performance.now()));
    const batch = messages.slice(i, i + BATCH);
    const fresh = batch.map(({ key }) => String(key)).filter((id) => !seen.has(id));
    for (const id of fresh) seen.add(id);
    await system.publish(batch);
    // The last that nobody has heard of before: it is there when it is found.
    const [newest] = fresh.slice(-1);
    if (newest !== undefined) measurements.push(timeToVisible(api, newest));
  }
  const times = (await Promise.all(measurements)).filter((time) => time !== undefined);
  if (times.length < 50) throw new Error(`Only ${String(times.length)} avtaler were seen`);
  return times;
}

/** Milliseconds until the avtale is found; undefined for one that is never shown, as some are wrongly registered. */
async function timeToVisible({ url, headers }: Target, avtaleId: string): Promise<number | undefined> {
  const from = performance.now();
  while (performance.now() - from < 5_000) {
    const response = await fetch(`${url}/api/v1/avtaler/${avtaleId}`, { headers });
    await response.arrayBuffer();
    if (response.status === 200) return performance.now() - from;
    await wait(2);
  }
  return undefined;
}
