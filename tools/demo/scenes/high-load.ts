import pg from 'pg';
import { setTimeout as wait } from 'node:timers/promises';
import { Generator } from '../../bench/generator/generator.ts';
import type { LoadResult } from '../../bench/generator/load.ts';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { Act } from '../act.ts';
import { anyAvtale, ms, seconds } from '../helpers.ts';
import type { Scene } from '../scene.ts';
import { sourceFor } from '../source.ts';
import { readMetrics, sumOf } from '../watch.ts';

const CONNECTIONS = 256;
/** Of the ingestor while everybody asks, on a machine that does it all: messages that are not yet stored, and their age. */
const MAX_WAITING = 200;
const MAX_STORED = 3_000;

/** Everybody asks at once, and neither the ingestor nor the source notices. */
export const highLoad: Scene = {
  nr: 10,
  name: 'High load',
  promise:
    'With 256 connections that ask as fast as they are answered, the ingestor is as fresh as before, and the source is never asked.',
  play: async (act) => {
    const system = await act.system();
    const source = await sourceFor(act, system);
    const ids = await source.table.register(act.size(3_000, 800), 10);
    const watch = act.watch();
    const [ingestor, queryApi] = await Promise.all([system.startIngestor(), system.startQueryApi()]);
    watch.app('ingestor', 'ingestor', ingestor);
    watch.app('query-api', 'query-api', queryApi);
    await system.waitForIngested();
    const changes = changeOnAndOn(system, ingestor, source.table, ids);
    act.ending(() => changes.stop());
    act.does('The source changes ten avtaler a second.');
    await wait(1_500);
    // What it took to begin with all of it is not what is asked for.
    changes.take();
    await wait(act.size(4_000, 3_000));
    const before = changes.take();
    act.figure('From change to stored, slowest', { before: ms(before.slowest) });
    act.figure('Messages not yet stored, most', { before: String(before.lag) });

    act.does(`${String(CONNECTIONS)} connections ask as fast as they are answered.`);
    const release = await withFault(act, system);
    const load = await ask(act, system, queryApi);
    const during = changes.take();
    await release();
    act.figure('From change to stored, slowest', { during: ms(during.slowest) });
    act.figure('Messages not yet stored, most', { during: String(during.lag) });
    act.figure('Look-ups a second', { during: load.perSecond.toFixed(0) });
    act.figure('p99 of answers', { during: ms(load.times.p99) });
    const calls = Object.values(source.api.calls()).reduce((sum, n) => sum + n, 0);
    act.figure("Calls to the source's API", { before: '0', during: String(calls) });
    act.holds(
      'Everybody is answered',
      load.failed === 0,
      `${load.answers.toLocaleString('en')} answers, ${String(load.failed)} failed`,
    );
    act.holds(
      'The ingestor is as fresh',
      during.count > 0 && during.slowest < MAX_STORED && during.lag < MAX_WAITING,
      `each change stored within ${seconds(during.slowest)}, at most ${String(during.lag)} waiting`,
    );
    act.holds('The source is never asked', calls === 0, `${String(calls)} calls to it`);
  },
};

/** Somebody who holds the table, with a session that was forgotten. */
async function withFault(act: Act, system: System): Promise<() => Promise<void>> {
  let holder: pg.Client | undefined;
  await act.breaks(
    'The ingestor is as fresh',
    'a forgotten session locks the table of avtaler for all who write.',
    async () => {
      holder = new pg.Client({ connectionString: system.url });
      holder.on('error', () => undefined);
      await holder.connect();
      await holder.query('begin; lock table avtale in exclusive mode');
    },
  );
  return async () => holder?.end();
}

async function ask(act: Act, system: System, { url }: App): Promise<LoadResult> {
  const generator = Generator.start();
  try {
    const requests = Array.from({ length: 100 }, () => ({
      method: 'GET' as const,
      path: `/api/v1/avtaler/${anyAvtale(system)()}`,
    }));
    const headers = await system.as('alt');
    return await generator.run('load', {
      url,
      headers,
      requests,
      connections: CONNECTIONS,
      seconds: act.size(8, 5),
      retries: 3,
    });
  } finally {
    await generator.stop();
  }
}

interface Taken {
  count: number;
  /** ms from a change at the source until it is stored */
  slowest: number;
  lag: number;
}

/** Ten changes a second, and how long the slowest took to be stored, by the ingestor's own metrics. */
function changeOnAndOn(
  system: System,
  ingestor: App,
  table: { change: (id: string, change: object) => Promise<boolean> },
  ids: readonly string[],
): { take: () => Taken; stop: () => Promise<void> } {
  let stopping = false;
  let taken: Taken = { count: 0, slowest: 0, lag: 0 };
  const waiting: { end: number; at: number }[] = [];
  const change = async (): Promise<void> => {
    for (let n = 0; !stopping; n++) {
      await table.change(ids[n % ids.length] ?? '', { bedriftNavn: `NAVN ${String(n)} AS` });
      waiting.push({ end: await system.onTopic(), at: performance.now() });
      taken.count++;
      await wait(100);
    }
  };
  const look = async (): Promise<void> => {
    while (!stopping) {
      const [stored, metrics] = await Promise.all([system.ingested(), readMetrics(ingestor)]);
      const now = performance.now();
      while (waiting[0] && waiting[0].end <= stored)
        taken.slowest = Math.max(taken.slowest, now - (waiting.shift()?.at ?? now));
      // What still waits has taken as long as that already.
      if (waiting[0]) taken.slowest = Math.max(taken.slowest, now - waiting[0].at);
      taken.lag = Math.max(taken.lag, sumOf(metrics ?? '', 'ingestor_etterslep_meldinger'));
      await wait(50);
    }
  };
  const work = Promise.all([change(), look()]);
  return {
    take: () => {
      const last = taken;
      taken = { count: 0, slowest: 0, lag: 0 };
      return last;
    },
    stop: async () => {
      stopping = true;
      await work;
    },
  };
}
