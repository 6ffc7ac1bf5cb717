import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { LOCKS, createWorkDir, freePort, startKafka, startPostgres, waitUntil } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import { System, type PublishedMessage } from './system.ts';

/**
 * What must be survived with nothing lost and nothing served wrong, on real processes, and what it takes longer to survive
 * than `npm test` has time for. Each test ends by comparing the tables with what the simulator says, computed from the
 * source contract alone.
 */
const events = (count: number, seed: number): PublishedMessage[] => [...createEvents({ count, seed })];

let system: System;
const started: (() => Promise<unknown>)[] = [];

async function createSystem(options?: Parameters<typeof System.create>[0]): Promise<void> {
  system = await System.create(options);
  started.push(() => system.stop());
}

afterEach(async () => {
  const error: unknown[] = [];
  for (const stop of started.splice(0).reverse()) await stop().catch((reason: unknown) => error.push(reason));
  expect(error).toEqual([]);
});

async function all(maxMs?: number): Promise<void> {
  await system.waitForIngested(maxMs);
  expect(await system.state()).toEqual(system.oracle());
}

/** Resolves somewhere in the middle of the backlog. */
const midway = (share: number, of: number): Promise<true> =>
  waitUntil(async () => (await system.ingested().catch(() => 0)) >= share * of || undefined, {
    what: 'part of the backlog',
    everyMs: 5,
  }).then(() => true);

test('the ingestor is killed again and again during a backlog', async () => {
  await createSystem();
  const messages = events(12_000, 1);
  await system.publish(messages);
  for (const share of [0.02, 0.3, 0.6]) {
    const app = await system.startIngestor();
    await midway(share, messages.length);
    await app.proc.kill();
  }
  await system.startIngestor();
  await all();
}, 120_000);

test('Postgres is killed during a backlog and comes back after five seconds', async () => {
  const { directory: dir, clean } = createWorkDir('feil');
  const postgres = await startPostgres({
    port: await freePort(),
    dataDir: join(dir, 'postgres'),
    logFile: join(dir, 'postgres.log'),
  });
  started.push(() => postgres.stop().then(clean));
  await createSystem({ postgres: postgres.url });
  const messages = events(12_000, 2);
  await system.publish(messages);
  const app = await system.startIngestor();
  const { url } = await system.startQueryApi();
  const headers = await system.as('alt');
  const ask = (): Promise<Response> => fetch(`${url}/api/v1/avtaler/nummer/1`, { headers });
  await midway(0.2, messages.length);
  await postgres.kill();
  await wait(5_000);
  expect((await fetch(`${app.url}/internal/isalive`)).status).toBe(200);
  expect((await fetch(`${app.url}/internal/isready`)).status).toBe(503);
  const without = [await ask()];
  for (const [path, token] of [
    ['drift/v1/status', await system.tokenForOnDuty()],
    ['drift/v1/parkerte', await system.tokenForOnDuty()],
    ['drift/v1/gjenoppbygging', await system.tokenForOnDuty()],
    ['drift/v1/avstemming', await system.tokenForOnDuty()],
    ['adapter/v1/status', await system.tokenForAdapter()],
  ]) {
    without.push(await fetch(`${app.url}/${String(path)}`, { headers: { authorization: `Bearer ${String(token)}` } }));
  }
  expect(without.map(({ status, headers }) => [status, headers.has('retry-after')])).toEqual(
    without.map(() => [503, true]),
  );
  await postgres.restart();
  await all();
  await waitUntil(async () => (await ask()).status === 404, { what: 'look-ups to be answered again' });
  expect(await system.sql('select 1 from parkert_melding')).toEqual([]);
}, 120_000);

test('Kafka is killed during a backlog and comes back', async () => {
  const { directory, clean } = createWorkDir('feil');
  const kafka = await startKafka({
    port: await freePort(),
    dataDir: join(directory, 'kafka'),
    logFile: join(directory, 'kafka.log'),
  });
  started.push(() => kafka.stop().then(clean));
  await createSystem({ brokers: kafka.brokers });
  const messages = events(12_000, 8);
  await system.publish(messages);
  const app = await system.startIngestor();
  await midway(0.1, messages.length);
  await kafka.kill();
  await wait(3_000);
  expect((await fetch(`${app.url}/internal/isalive`)).status).toBe(200);
  await kafka.restart();
  await all();
  await system.publish(events(100, 9));
  await all();
}, 120_000);

/** Nobody can write avtaler until it is let go, so that what is fetched only waits. */
async function stopWriting(): Promise<() => Promise<void>> {
  const holder = new pg.Client({ connectionString: system.url });
  holder.on('error', () => undefined);
  await holder.connect();
  await holder.query('begin; lock table avtale in exclusive mode');
  await waitUntil(
    async () =>
      (await system.sql(`select from ${LOCKS} where relation = 'avtale'::regclass and not granted`)).length > 0,
    { what: 'the ingestor to wait for the lock' },
  );
  // Of 25 MB and more that wait on the topic, the queue takes 12 MiB, and nothing more is fetched.
  await wait(2_000);
  return () => holder.end();
}

test('the ingestor is killed with a full queue', async () => {
  await createSystem();
  const messages = events(8_000, 12);
  await system.publish(messages);
  const app = await system.startIngestor();
  await midway(0.05, messages.length);
  const goOn = await stopWriting();
  await app.proc.kill();
  await goOn();
  await system.startIngestor();
  await all();
}, 240_000);

test('a second ingestor joins while the queue is full, and leaves while both are', async () => {
  await createSystem({ partitions: 4 });
  const messages = events(9_000, 13);
  await system.publish(messages);
  await system.startIngestor();
  await midway(0.05, messages.length);
  const goOn = await stopWriting();
  const other = await system.startIngestor();
  await goOn();
  await midway(0.3, messages.length);
  const goOnAgain = await stopWriting();
  const stopping = other.proc.stop();
  await wait(500);
  await goOnAgain();
  await stopping;
  await all();
}, 240_000);

test('a second ingestor joins during a backlog, and leaves again', async () => {
  await createSystem({ partitions: 4 });
  const messages = events(16_000, 6);
  await system.publish(messages);
  await system.startIngestor();
  await midway(0.1, messages.length);
  const others = await system.startIngestor();
  await system.publish(events(2_000, 7));
  await midway(0.5, messages.length);
  await others.proc.stop();
  await all();
}, 120_000);
