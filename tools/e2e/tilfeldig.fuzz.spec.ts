import { randomInt } from 'node:crypto';
import { Adapterlop, avvik, lagret, lagSteg, spillAvPaaNytt } from './adapterlop.ts';
import { System } from './system.ts';

const tall = (navn: string, standard: number): number => Number(process.env[navn] ?? standard);
const SEED = tall('FUZZ_SEED', randomInt(2 ** 31));
const AVTALER = tall('FUZZ_AVTALER', 100_000);
const STEG = tall('FUZZ_STEG', 12);
const GJENTA = `FUZZ_SEED=${String(SEED)} FUZZ_AVTALER=${String(AVTALER)} FUZZ_STEG=${String(STEG)}`;

let system: System;

beforeAll(async () => {
  system = await System.lag({ partisjoner: 6 });
});
afterAll(() => system.stopp());

test(`random syncs of an adapter, with kills: ${GJENTA}`, async () => {
  console.log(GJENTA);
  const lop = await Adapterlop.start(system, AVTALER, SEED);
  for (const [i, steg] of lagSteg(SEED, STEG).entries()) {
    const fra = performance.now();
    await lop.gjor(steg);
    console.log(`${String(i + 1)}: ${JSON.stringify(steg)}, ${((performance.now() - fra) / 1_000).toFixed(1)} s`);
    // Compared as one, since a difference between 100,000 lines takes minutes to print.
    const ulike = forskjell(await lagret(system), lop.data.forventet);
    expect(ulike).toEqual([]);
    expect(await avvik(system)).toEqual([]);
  }
  const { her, der, avvik: avvikDer } = await spillAvPaaNytt(system);
  expect(der.filter((linje, i) => linje !== her[i]).slice(0, 20)).toEqual([]);
  expect(der).toHaveLength(her.length);
  expect(avvikDer).toEqual([]);
}, 3_600_000);

/** The first avtaler that are not as they must be, with what they are and what they should have been. */
function forskjell(er: Record<string, number>, skal: Record<string, number>): string[] {
  const ider = new Set([...Object.keys(er), ...Object.keys(skal)]);
  return [...ider]
    .filter((id) => er[id] !== skal[id])
    .slice(0, 20)
    .map((id) => `${id}: ${String(er[id])}, not ${String(skal[id])}`);
}
