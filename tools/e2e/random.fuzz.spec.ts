import { randomInt } from 'node:crypto';
import { AdapterRun, deviations, stored, createSteps, replay } from './adapter-run.ts';
import { System } from './system.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const SEED = number('FUZZ_SEED', randomInt(2 ** 31));
const AVTALER = number('FUZZ_AVTALER', 100_000);
const STEPS = number('FUZZ_STEG', 12);
const REPEAT = `FUZZ_SEED=${String(SEED)} FUZZ_AVTALER=${String(AVTALER)} FUZZ_STEG=${String(STEPS)}`;

let system: System;

beforeAll(async () => {
  system = await System.create({ partitions: 6 });
});
afterAll(() => system.stop());

test(`random syncs of an adapter, with kills: ${REPEAT}`, async () => {
  console.log(REPEAT);
  const run = await AdapterRun.start(system, AVTALER, SEED);
  for (const [i, step] of createSteps(SEED, STEPS).entries()) {
    const from = performance.now();
    await run.perform(step);
    console.log(`${String(i + 1)}: ${JSON.stringify(step)}, ${((performance.now() - from) / 1_000).toFixed(1)} s`);
    // Compared as one, since a difference between 100,000 lines takes minutes to print.
    const different = difference(await stored(system), run.data.expected);
    expect(different).toEqual([]);
    expect(await deviations(system)).toEqual([]);
  }
  const { here, there: where, deviation: deviationWhere } = await replay(system);
  expect(where.filter((line, i) => line !== here[i]).slice(0, 20)).toEqual([]);
  expect(where).toHaveLength(here.length);
  expect(deviationWhere).toEqual([]);
}, 3_600_000);

/** The first avtaler that are not as they must be, with what they are and what they should have been. */
function difference(actual: Record<string, number>, expected: Record<string, number>): string[] {
  const ids = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...ids]
    .filter((id) => actual[id] !== expected[id])
    .slice(0, 20)
    .map((id) => `${id}: ${String(actual[id])}, not ${String(expected[id])}`);
}
