import { createEvents } from '@tiltak/simulator';
import { System } from '../e2e/system.ts';
import { steadyLoad } from './steady-load.ts';
import { ratio, median } from './measure.ts';
import { fill, createRequests, waitForAnswer, type Target } from './query.ts';
import { startRig } from './rig.ts';

const AVTALER = 100_000;
const LOAD = { connections: 32, takt: 200, seconds: 5 };

/** Look-ups at an even 200 a second: with nothing else to do, and while a backlog is read in. None may fail. */
export async function ingestWhileReading({
  antall: count,
  rounds,
}: {
  antall: number;
  rounds: number;
}): Promise<unknown> {
  const rig = await startRig();
  const calm: number[] = [];
  const underIngest: number[] = [];
  try {
    for (let n = 0; n < rounds; n++) {
      const system = await System.create({ partitions: 6, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
      try {
        const { calmP99, busyP99 } = await round(system, count);
        calm.push(calmP99);
        underIngest.push(busyP99);
      } finally {
        await system.stop();
      }
    }
    return {
      lookupPerSecond: LOAD.takt,
      p99MsCalm: median(calm),
      p99MsUnderIngest: median(underIngest),
      times: ratio(underIngest, calm),
    };
  } finally {
    await rig.stop();
  }
}

async function round(system: System, count: number): Promise<{ calmP99: number; busyP99: number }> {
  const first = await system.startIngestor();
  const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
  const api: Target = { url, headers: await system.as('alt') };
  await fill(system.url, AVTALER);
  await waitForAnswer(api);
  const requests = createRequests('tiltaksstatus', { avtaler: AVTALER });
  await steadyLoad(api, requests, LOAD);
  const { p99Ms: calmP99 } = await steadyLoad(api, requests, LOAD);
  await first.proc.stop();
  await system.publish([...createEvents({ count })]);
  await system.startIngestor();
  const { p99Ms: busyP99 } = await steadyLoad(api, requests, LOAD);
  if ((await system.ingested()) >= count) throw new Error('The backlog was read before the look-ups were: use more');
  await system.waitForIngested(600_000);
  await system.checkPublished();
  return { calmP99, busyP99 };
}
