import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { runLoad } from '../../bench/generator/load.ts';
import { Witness } from '../../e2e/witness.ts';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { OneAddress } from '../../local/one-address.ts';
import type { Act } from '../act.ts';
import type { Consumer } from '../consumer.ts';
import { answersOf, anyAvtale, events, ms } from '../helpers.ts';
import type { Scene } from '../scene.ts';
import { readMetrics, sumOf, type Watch } from '../watch.ts';

/** How much more a request may cost with three than with one: one machine does all of it, and its caches are shared. */
const MAX_GROWTH = 2;
const MORE = 3;
/** Connections that ask each process while its CPU is looked at: what one process reads together must not be shared by more of them. */
const CONNECTIONS = 16;
/** Requests that each process has answered before its CPU is looked at, and how long that may take. */
const [WARM, MAX_WARMING_MS] = [4_000, 12_000];

/** More of each come while it is used, and some of them die. */
export const scaling: Scene = {
  nr: 3,
  name: 'Scaling',
  promise:
    'Three query-apis and three ingestors more join under load, and two are killed: nothing is lost, every look-up is answered when asked again, and a request costs the same.',
  play: async (act) => {
    const system = await act.system({ partitions: 6 });
    await system.publish(events(act.size(3_000, 800), 3));
    const watch = act.watch();
    const ingestors = [watch.app('ingestor', 'ingestor 1', await system.startIngestor())];
    const { address, apps } = await system.startQueryApis(1);
    for (const app of apps) watch.app('query-api', 'query-api 1', app);
    await system.waitForIngested();
    const cost = await costOf(act, system, address, apps);
    act.figure('CPU of a request', { before: ms(cost) });
    // Each call by a connection of its own: a connection stays with the process that it came to.
    const headers = async (): Promise<Record<string, string>> => ({ ...(await system.as('alt')), connection: 'close' });
    const consumer = watch.consumer('a consumer', { url: address.url, headers, avtaleId: anyAvtale(system) });
    const witness = await Witness.start(system, address.url);
    await wait(act.size(3_000, 2_000));
    tell(act, 'before', consumer, 2);
    const more = await join(act, { system, watch, address, ingestors, apps });
    await system.waitForIngested();
    await lose(act, [more.ingestor, more.queryApi], system, address, [...apps]);
    await wait(act.size(4_000, 3_000));
    const during = consumer.take();
    act.figure('Look-ups', { during: answersOf(during) });
    act.figure('Processes', { during: '8, and then 6' });
    await consumer.stop();
    const { answers, tables } = await witness.finish({ undisturbed: false });
    const living = apps.filter(({ proc }) => !proc.ended());
    const after = living.length === 0 ? Number.NaN : await costOf(act, system, address, living);
    act.figure('CPU of a request', { after: ms(after) });
    act.holds(
      'Nothing is lost',
      tables.length + answers.length === 0,
      `${String(witness.checked)} answers and every table held`,
    );
    act.holds('Every look-up is answered when asked again', during.failed + during.away === 0, answersOf(during));
    act.holds(
      'A request costs the same',
      after < cost * MAX_GROWTH,
      `${ms(cost)} of CPU with one query-api, ${ms(after)} with ${String(living.length)}`,
    );
  },
};

function tell(act: Act, phase: 'before' | 'after', consumer: Consumer, processes: number): void {
  act.figure('Look-ups', { [phase]: answersOf(consumer.take()) });
  act.figure('Processes', { [phase]: String(processes) });
}

async function join(
  act: Act,
  {
    system,
    watch,
    address,
    ingestors,
    apps,
  }: { system: System; watch: Watch; address: OneAddress; ingestors: App[]; apps: App[] },
): Promise<{ ingestor: App; queryApi: App }> {
  act.does('Three query-apis and three ingestors join, while messages come and look-ups are asked.');
  const publishing = system.publish(events(act.size(6_000, 1_500), 33));
  const joining = Array.from({ length: MORE }, async (_, i) => {
    const [ingestor, queryApi] = await Promise.all([system.startIngestor(), system.startQueryApi()]);
    ingestors.push(watch.app('ingestor', `ingestor ${String(i + 2)}`, ingestor));
    apps.push(watch.app('query-api', `query-api ${String(i + 2)}`, queryApi));
    address.join(queryApi);
  });
  await Promise.all(joining);
  await publishing;
  const [ingestor, queryApi] = [ingestors.at(-1), apps.at(-1)];
  if (!ingestor || !queryApi) throw new Error('None has joined');
  return { ingestor, queryApi };
}

async function lose(act: Act, doomed: App[], system: System, address: OneAddress, all: App[]): Promise<void> {
  act.does('One ingestor and one query-api are killed, in the middle of 1,000 messages more.');
  const publishing = system.publish(events(1_000, 333));
  await Promise.all(doomed.map(({ proc }) => proc.kill()));
  await publishing;
  await act.breaks(
    'Every look-up is answered when asked again',
    'whoever is on duty takes all query-apis out of their address for three seconds.',
    async () => {
      for (const app of all) address.leave(app);
      await wait(3_000);
      for (const app of all) if (!app.proc.ended()) address.join(app);
    },
  );
}

/** CPU of the query-apis for each request, ms, as fast as they answer; by their own metrics. */
async function costOf(act: Act, system: System, address: OneAddress, apps: App[]): Promise<number> {
  const total = async (): Promise<{ cpu: number; lookups: number }> => {
    const all = await Promise.all(apps.map(async (app) => (await readMetrics(app)) ?? ''));
    const sum = (name: string): number => all.reduce((so, metrics) => so + sumOf(metrics, name), 0);
    return { cpu: sum('process_cpu_seconds_total'), lookups: sum('query_oppslag_total') };
  };
  const requests = Array.from({ length: 50 }, () => ({
    method: 'GET' as const,
    path: `/api/v1/avtaler/${anyAvtale(system)()}`,
  }));
  // 404 is an answer here, and the generator counts only 200: what is not there is not asked for.
  const there = await existing(
    system,
    address,
    requests.map(({ path }) => path),
  );
  const load = (seconds: number): Promise<unknown> =>
    system
      .as('alt')
      .then((headers) =>
        runLoad({ url: address.url, headers, requests: there, connections: CONNECTIONS * apps.length, seconds }),
      );
  // All of them must have compiled what they run, which takes so many requests, and not so many seconds.
  const [begun, cold] = [performance.now(), await total()];
  do await load(1);
  while ((await total()).lookups - cold.lookups < WARM * apps.length && performance.now() - begun < MAX_WARMING_MS);
  const before = await total();
  await load(act.size(3, 2));
  const after = await total();
  return ((after.cpu - before.cpu) * 1_000) / (after.lookups - before.lookups);
}

async function existing(
  system: System,
  address: OneAddress,
  paths: readonly string[],
): Promise<{ method: 'GET'; path: string }[]> {
  const headers = await system.as('alt');
  const found = await Promise.all(
    [...new Set(paths)].map(async (path) => ((await fetch(address.url + path, { headers })).ok ? [path] : [])),
  );
  const there = found.flat().map((path) => ({ method: 'GET' as const, path }));
  return there.length > 0 ? there : [{ method: 'GET', path: `/api/v1/avtaler/${randomUUID()}` }];
}
