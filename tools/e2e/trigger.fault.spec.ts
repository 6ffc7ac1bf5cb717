import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createEvents } from '@tiltak/simulator';
import { createTestTopic, createWorkDir, freePort, startKafka, waitUntil, type LocalKafka } from '@tiltak/testing';
import { System } from './system.ts';
import { readMessages } from './topic.ts';

/** What is told of changes on the trigger topic, while real processes are killed: held against the table of the feed. */
const { directory, clean } = createWorkDir('trigger');
let kafka: LocalKafka;
let system: System;

beforeAll(async () => {
  kafka = await startKafka({
    port: await freePort(),
    dataDir: join(directory, 'kafka'),
    logFile: join(directory, 'kafka.log'),
  });
  system = await System.create({ brokers: kafka.brokers });
}, 60_000);
afterAll(async () => {
  await system.stop();
  await kafka.stop();
  clean();
});

interface Event {
  id: string;
  subject: string;
  sequence: string;
}

test('ingestors and the broker are killed while changes come: each change is told of, in order, and repeats are the same', async () => {
  const topic = await createTestTopic({ partitions: 3, brokers: kafka.brokers });
  const start = (): ReturnType<System['startIngestor']> => system.startIngestor({ TRIGGER_TOPIC: topic.topic });
  const ingestors = [await start(), await start()];
  // Kept as far as the broker says so: it is killed meanwhile.
  const messages = [...createEvents({ count: 5_000, seed: 48 })];
  for (let round = 0; round < 5; round++) {
    await system.publishUntilKept(messages.slice(round * 1_000, (round + 1) * 1_000));
    await wait(300);
    if (round === 2) {
      await kafka.kill();
      await wait(3_000);
      await kafka.restart();
    }
    await ingestors.shift()?.proc.kill();
    ingestors.push(await start());
  }
  await system.readTopic();
  await system.waitForIngested();
  const [{ lines = '0' } = {}] = await system.sql<{ lines: string }>('select count(*) as lines from endring');
  await waitUntil(
    async () =>
      (
        await system.sql(
          `select from trigger_posisjon p where not exists (select from endring e where (e.tx, e.lopenr) > (p.tx, p.lopenr))`,
        )
      ).length > 0,
    { what: 'all of the feed to be told of', maxMs: 60_000 },
  );
  const first = new Map<string, string>();
  const told = new Map<string, string[]>();
  for (const { value } of await readMessages(kafka.brokers, topic.topic)) {
    const raw = value?.toString() ?? '';
    const { id, subject, sequence } = JSON.parse(raw) as Event;
    const earlier = first.get(id);
    if (earlier !== undefined) expect(raw).toBe(earlier);
    else told.set(subject, [...(told.get(subject) ?? []), sequence]);
    first.set(id, raw);
  }
  const feed = await system.sql<{ avtale_id: string; sequences: string[] }>(
    `select avtale_id, array_agg(lpad(tx::text, 19, '0') || '.' || lpad(lopenr::text, 19, '0') order by tx, lopenr) as sequences
     from endring group by avtale_id`,
  );
  expect(first.size).toBe(Number(lines));
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(feed.map((row) => [row.avtale_id, row.sequences])));
  await topic.remove();
}, 240_000);
