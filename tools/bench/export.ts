import { Agent, request } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import { System } from '../e2e/system.ts';
import { ratio, maxRss, median } from './measure.ts';
import { fill, waitForAnswer, type Target } from './query.ts';
import { withClient, startRig } from './rig.ts';

/** All avtaler over HTTP, against the limit: the same rows by COPY, not looked at. */
export async function exportBench({ avtaler, rounds }: { avtaler: number; rounds: number }): Promise<unknown> {
  const rig = await startRig();
  const system = await System.create({ partitions: 1, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    await system.startIngestor();
    const app = await system.startQueryApi({ LOG_LEVEL: 'warn' });
    const api: Target = { url: app.url, headers: await system.as('alt') };
    await fill(system.url, avtaler);
    await waitForAnswer(api);
    const before = maxRss(app.proc.pid);
    const ours: number[] = [];
    const limits: number[] = [];
    for (let n = 0; n < rounds; n++) {
      ours.push(await pace(() => readAll(api)));
      limits.push(await pace(() => copyAll(system.url)));
    }
    return {
      avtaler,
      avtalerPerSecond: median(ours),
      limitAvtalerPerSecond: median(limits),
      ratioToLimit: ratio(ours, limits),
      rssBeforeMiB: Math.round(before),
      maxRssMiB: Math.round(maxRss(app.proc.pid)),
    };
  } finally {
    await system.stop();
    await rig.stop();
  }
}

/** Lines per second. */
async function pace(read: () => Promise<number>): Promise<number> {
  const from = performance.now();
  const lines = await read();
  return lines / ((performance.now() - from) / 1_000);
}

/** @throws when there are fewer lines than the first one says */
async function readAll({ url, headers }: Target): Promise<number> {
  const counter = new LineCounter();
  const agent = new Agent();
  await new Promise<void>((done, failed) => {
    request(`${url}/api/v1/eksport`, { headers: { authorization: headers['authorization'] }, agent }, (response) => {
      pipeline(response, counter).then(done, failed);
    })
      .on('error', failed)
      .end();
  });
  agent.destroy();
  const { antall: count } = JSON.parse(counter.first) as { antall: number };
  if (counter.lines !== count + 1) throw new Error(`${String(counter.lines)} lines, and not ${String(count + 1)}`);
  return count;
}

async function copyAll(url: string): Promise<number> {
  const counter = new LineCounter();
  await withClient(url, (db) => pipeline(db.query(copyTo('copy (select * from avtale_synlig) to stdout')), counter));
  return counter.lines;
}

class LineCounter extends Writable {
  lines = 0;
  first = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.lines === 0) this.first = chunk.toString('utf8', 0, chunk.indexOf('\n'));
    for (let i = chunk.indexOf(0x0a); i >= 0; i = chunk.indexOf(0x0a, i + 1)) this.lines++;
    done();
  }
}
