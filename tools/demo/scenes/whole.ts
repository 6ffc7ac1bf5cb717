import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@tiltak/testing';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { Act } from '../act.ts';
import type { Consumer, Seen } from '../consumer.ts';
import { answersOf, anyAvtale, ms, seconds } from '../helpers.ts';
import type { Scene } from '../scene.ts';
import { sourceFor } from '../source.ts';
import type { Watch } from '../watch.ts';

const MAX_AGE = 3_000;
const MAX_SERVED = 3_000;
const NAMES = ['nav', 'demo-fylke'] as const;

interface Organisation {
  name: string;
  system: System;
  source: Awaited<ReturnType<typeof sourceFor>>;
  ids: string[];
  ingestor: App;
  queryApi: App;
}

/** All there is, when nothing is wrong: what the other scenes are to be held against. */
export const whole: Scene = {
  nr: 1,
  name: 'All of it, at work',
  promise:
    'Two organisations with a source each are asked 50 times a second: every look-up is answered, from data that is seconds old, and what the source changes is served at once.',
  play: async (act) => {
    const watch = act.watch();
    const all = await Promise.all(NAMES.map((name) => start(act, watch, name)));
    act.does(
      'Two organisations, each with a source, an ingestor and a query-api; a consumer of each asks 50 times a second.',
    );
    const consumers = all.map(({ name, system, queryApi }) =>
      watch.consumer(name, { url: queryApi.url, headers: () => system.as('alt'), avtaleId: anyAvtale(system) }),
    );
    await wait(act.size(3_000, 2_500));
    tell(act, 'before', consumers);
    act.does('Each source changes an avtale now and then, and each change is looked for until it is served.');
    await act.breaks(
      'demo-fylke: changes are served at once',
      'the ingestor of demo-fylke is killed, and nobody is there to start another.',
      () => all[1]?.ingestor.proc.kill() ?? Promise.resolve(),
    );
    const slowest = await Promise.all(all.map((organisation) => changeAndLook(act, organisation)));
    const seen = tell(act, 'during', consumers);
    for (const [i, { name }] of all.entries()) {
      const one = seen[i];
      const served = slowest[i] ?? Number.POSITIVE_INFINITY;
      act.figure(`${name}: change until served, slowest`, { during: ms(served) });
      if (!one) continue;
      act.holds(`${name}: every look-up is answered`, one.answers > 0 && one.failed + one.away === 0, answersOf(one));
      act.holds(`${name}: from data that is seconds old`, one.ageMs < MAX_AGE, `at most ${seconds(one.ageMs)}`);
      act.holds(
        `${name}: changes are served at once`,
        served < MAX_SERVED,
        Number.isFinite(served) ? `the slowest after ${ms(served)}` : 'one never was',
      );
    }
  },
};

async function start(act: Act, watch: Watch, name: string): Promise<Organisation> {
  const system = await act.system({ organisasjon: name });
  const source = await sourceFor(act, system);
  const ids = await source.table.register(act.size(2_000, 500), name.length);
  const [ingestor, queryApi] = await Promise.all([system.startIngestor(), system.startQueryApi()]);
  watch.app('ingestor', name, ingestor);
  watch.app('query-api', name, queryApi);
  await system.waitForIngested();
  return { name, system, source, ids, ingestor, queryApi };
}

/** @returns ms, of the slowest; infinite when one was not served at all */
async function changeAndLook(act: Act, { system, source, ids, queryApi }: Organisation): Promise<number> {
  const headers = await system.as('alt');
  let slowest = 0;
  const until = performance.now() + act.size(8_000, 5_000);
  for (let n = 0; performance.now() < until; n++) {
    const id = ids[n] ?? '';
    const bedriftNavn = `ENDRET ${String(n)} AS`;
    const begun = performance.now();
    await source.table.change(id, { bedriftNavn });
    const isServed = async (): Promise<boolean> => {
      const response = await fetch(`${queryApi.url}/api/v1/avtaler/${id}`, { headers }).catch(() => undefined);
      return response?.ok === true && ((await response.json()) as { bedriftNavn: string }).bedriftNavn === bedriftNavn;
    };
    const options = { what: 'the change to be served', maxMs: 6_000, everyMs: 10 };
    if (
      !(await waitUntil(isServed, options).then(
        () => true,
        () => false,
      ))
    )
      return Number.POSITIVE_INFINITY;
    slowest = Math.max(slowest, performance.now() - begun);
    await wait(200);
  }
  return slowest;
}

function tell(act: Act, phase: 'before' | 'during', consumers: readonly Consumer[]): Seen[] {
  return consumers.map((consumer) => {
    const seen = consumer.take();
    act.figure(`${consumer.name}: look-ups`, { [phase]: answersOf(seen) });
    act.figure(`${consumer.name}: p99 of answers`, { [phase]: ms(seen.p99) });
    act.figure(`${consumer.name}: oldest data`, { [phase]: seconds(seen.ageMs) });
    return seen;
  });
}
