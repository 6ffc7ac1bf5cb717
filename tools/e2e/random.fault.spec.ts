import { AdapterRun, deviations, stored, createSteps, replay, type Step } from './adapter-run.ts';
import { System } from './system.ts';

/** A new one each day: what fails is repeated with the seed that the failure names. The long runs are in `.fuzz.spec.ts`. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const COUNT = 600;

let system: System;

beforeAll(async () => {
  system = await System.create();
});
afterAll(() => system.stop());

/** Of each kind, whatever the seed: killed while pages are under way, and while a sync deletes. */
const WITH_EVERYTHING: Partial<Step>[] = [
  { full: 'OVERLAPPET', kill: 'IKKE', forgotten: 50, repeat: true },
  { full: 'AVBRUTT', kill: 'IKKE' },
  { full: 'HEL', kill: 'UNDER_SIDER', forgotten: 250 },
];

test(`random syncs of an adapter, with kills: FUZZ_SEED=${String(SEED)}`, async () => {
  const run = await AdapterRun.start(system, COUNT, SEED);
  for (const [i, step] of createSteps(SEED, WITH_EVERYTHING.length).entries()) {
    await run.perform({ ...step, ...WITH_EVERYTHING[i] });
    expect(await stored(system)).toEqual(run.data.expected);
  }
  expect(await deviations(system)).toEqual([]);
  const { here, there: where, deviation: deviationWhere } = await replay(system);
  expect(where).toEqual(here);
  expect(deviationWhere).toEqual([]);
}, 120_000);
