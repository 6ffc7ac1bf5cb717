import { createEvents } from '@tiltak/simulator';
import { System, type PublishedMessage } from './system.ts';

/**
 * What must change nothing, and what must not stop what comes after it. Each test ends by comparing the tables with what
 * the simulator says, computed from the source contract alone. What is killed meanwhile: `killed.fault.spec.ts`.
 */
const events = (count: number, seed: number): PublishedMessage[] => [...createEvents({ count, seed, poison: true })];

let system: System;
beforeEach(async () => {
  system = await System.create();
});
afterEach(() => system.stop());

async function all(): Promise<void> {
  await system.waitForIngested();
  expect(await system.state()).toEqual(system.oracle());
}

test('poison of each kind lies between good messages, and twenty tombstones before one', async () => {
  const unused = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const tombstones = Array.from({ length: 20 }, (_, n) => ({ key: unused(n), value: null }));
  await system.publish([...events(3_000, 3), ...tombstones, ...createEvents({ count: 50, seed: 4 })]);
  await system.startIngestor();
  await all();
  expect(system.oracle().parkert.length).toBeGreaterThan(10);
}, 120_000);

test('the whole topic is played twice: the tables are the same to the byte', async () => {
  await system.publish(events(4_000, 5));
  const first = await system.startIngestor();
  await all();
  const before = await dump();
  await first.proc.stop();
  await system.sql('update konsum_offset set neste_offset = 0');
  await system.startIngestor();
  await all();
  expect(await dump()).toEqual(before);
}, 120_000);

/** Every table that messages end in, as text, all columns. */
async function dump(): Promise<string[]> {
  const tables = ['avtale', 'avtale_versjon', 'endring', 'relasjon', 'parkert_melding', 'konsum_offset'];
  const rows = await Promise.all(
    tables.map((table) => system.sql<{ line: string }>(`select t::text as line from ${table} t order by 1`)),
  );
  return rows.flat().map(({ line }) => line);
}
