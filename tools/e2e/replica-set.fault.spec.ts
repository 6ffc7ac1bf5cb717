import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createEvents, createUpdates } from '@tiltak/simulator';
import { createWorkDir, freePort, startPostgres, startStandby, waitUntil, type Standby } from '@tiltak/testing';
import type { App } from '../local/apps.ts';
import { System } from './system.ts';
import { FAULTLESS, Witness } from './witness.ts';

/** Two streaming replicas that look-ups are read from, while one after the other is lost and comes back. */
const started: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  const errors: unknown[] = [];
  for (const stop of started.splice(0).reverse()) await stop().catch((reason: unknown) => errors.push(reason));
  expect(errors).toEqual([]);
}, 180_000);

async function replicaStates({ url }: App): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/internal/prometheus`)).text();
  const lines = text.matchAll(/^query_replika_i_bruk\{.*?replika="([^"]+)".*?\} (\d)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value]) => [name, Number(value)]));
}

test('one replica after the other is killed, lags, and is of another history: no answer is wrong, and each comes back by itself', async () => {
  const { directory, clean } = createWorkDir('replikasett');
  started.push(() => Promise.resolve(clean()));
  const place = (name: string, port: number): Parameters<typeof startStandby>[1] => ({
    port,
    dataDir: join(directory, name),
    logFile: join(directory, `${name}.log`),
  });
  const primary = await startPostgres(place('primary', await freePort()));
  started.push(() => primary.stop());
  const ports = [await freePort(), await freePort()] as const;
  const replicas = new Map<number, Standby>();
  started.push(() => Promise.all([...replicas.values()].map((replica) => replica.stop())));
  const begin = async (port: number): Promise<Standby> => {
    // A machine that has much to do does not always answer the copying in time; it begins anew then.
    const starting = (): Promise<Standby | undefined> =>
      startStandby(primary, place(`replica-${String(port)}`, port)).catch(() => undefined);
    const replica = await waitUntil(starting, { what: 'a replica to follow', maxMs: 240_000 });
    replicas.set(port, replica);
    return replica;
  };
  for (const port of ports) await (await begin(port)).caughtUp(120_000);

  const system = await System.create({ postgres: primary.url });
  started.push(() => system.stop());
  await system.publish([...createEvents({ count: 1_000, seed: 61 })]);
  await system.startIngestor();
  const names = ports.map((port) => `127.0.0.1:${String(port)}`);
  const { address, apps } = await system.startQueryApis(2, {
    DB_REPLIKA_HOST: names.join(','),
    DB_REPLIKA_MAKS_ETTERSLEP_SEKUNDER: '4',
  });
  await system.waitForIngested();
  const states = (...wanted: number[]): Promise<unknown> =>
    waitUntil(
      async () => {
        const found = await Promise.all(apps.map((app) => replicaStates(app)));
        return found.every((state) => String(names.map((name) => state[name])) === String(wanted));
      },
      { what: `the replicas to be ${String(wanted)}`, maxMs: 120_000 },
    );
  await states(1, 1);
  const witness = await Witness.start(system, address.url);
  let going = true;
  const source = (async () => {
    for (let seed = 62; going; seed++) {
      const changes = [...createUpdates({ count: 200, seed: 61 }), ...createEvents({ count: 50, seed })];
      for (let from = 0; going && from < changes.length; from += 25) {
        await system.publish(changes.slice(from, from + 25));
        await wait(100);
      }
    }
  })();
  started.push(async () => {
    going = false;
    await source;
  });
  const answers = async (more: number): Promise<void> => {
    const from = witness.checked;
    await waitUntil(() => witness.checked >= from + more, { what: `${String(more)} answers`, maxMs: 120_000 });
  };
  await answers(30);

  const [one, two] = ports;
  await replicas.get(one)?.kill();
  await states(0, 1);
  await answers(30);
  // As it was before, and behind: it is not back before it has caught up.
  await begin(one);
  await states(1, 1);

  await replicas.get(two)?.pause();
  await states(1, 0);
  await answers(30);
  await replicas.get(two)?.resume();
  await states(1, 1);

  // It can be written to, and has a history of its own.
  await replicas.get(one)?.promote();
  await states(0, 1);
  await answers(30);
  // With none left, the primary is read.
  await replicas.get(two)?.kill();
  await states(0, 0);
  await answers(30);
  await begin(two);
  await states(0, 1);
  await answers(30);

  going = false;
  await source;
  console.log(Object.fromEntries(witness.failed), `${String(witness.checked)} answers`);
  expect(await witness.finish({ undisturbed: false })).toEqual(FAULTLESS);
}, 900_000);
