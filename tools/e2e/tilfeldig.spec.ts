import { Adapterlop, avvik, lagret, lagSteg, spillAvPaaNytt, type Steg } from './adapterlop.ts';
import { System } from './system.ts';

/** A new one each day: what fails is repeated with the seed that the failure names. The long runs are in `.fuzz.spec.ts`. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const ANTALL = 600;

let system: System;

beforeAll(async () => {
  system = await System.lag();
});
afterAll(() => system.stopp());

/** Of each kind, whatever the seed: killed while pages are under way, and while a sync deletes. */
const MED_ALT: Partial<Steg>[] = [
  { full: 'OVERLAPPET', drep: 'IKKE', glemmes: 50, gjenta: true },
  { full: 'AVBRUTT', drep: 'IKKE' },
  { full: 'HEL', drep: 'UNDER_SIDER', glemmes: 250 },
];

test(`random syncs of an adapter, with kills: FUZZ_SEED=${String(SEED)}`, async () => {
  const lop = await Adapterlop.start(system, ANTALL, SEED);
  for (const [i, steg] of lagSteg(SEED, MED_ALT.length).entries()) {
    await lop.gjor({ ...steg, ...MED_ALT[i] });
    expect(await lagret(system)).toEqual(lop.data.forventet);
  }
  expect(await avvik(system)).toEqual([]);
  const { her, der, avvik: avvikDer } = await spillAvPaaNytt(system);
  expect(der).toEqual(her);
  expect(avvikDer).toEqual([]);
}, 120_000);
