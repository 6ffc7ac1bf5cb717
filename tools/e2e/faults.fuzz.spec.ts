import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { drawFault, healed, type Draw, type FuzzFault } from './fuzz-faults.ts';
import { startFuzzWorld, type FuzzWorld } from './fuzz-world.ts';
import { FAULTLESS } from './witness.ts';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const SEED = number('FUZZ_SEED', randomInt(2 ** 31));
const MINUTES = number('FUZZ_MINUTTER', 20);
const REPEAT = `FUZZ_SEED=${String(SEED)} FUZZ_MINUTTER=${String(MINUTES)}`;
/** ms, of everything after everything has been made good */
const MAX_BACK_MS = 180_000;

/** The same numbers for the same seed (mulberry32). */
function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Planned {
  fault: FuzzFault;
  afterMs: number;
  forMs: number;
  /** of its own: those of a round draw in whatever order they come to it */
  seed: number;
}

/** One to three that don't stand in each other's way, each for a while. */
function nextRound(draw: Draw): Planned[] {
  const round = new Map<string, Planned>();
  for (let count = 1 + draw(3); count > 0; count--) {
    const fault = drawFault(draw);
    const planned = { afterMs: draw(2_000), forMs: 500 + draw(8_000), seed: draw(2 ** 31) };
    if (fault && !round.has(fault.on)) round.set(fault.on, { fault, ...planned });
  }
  return [...round.values()];
}

async function perform(world: FuzzWorld, round: Planned[]): Promise<void> {
  const performing = round.map(async ({ fault, afterMs, forMs, seed }) => {
    await wait(afterMs);
    const heal = await fault.apply(world, drawFrom(seed));
    await wait(forMs);
    await healed(heal);
  });
  await Promise.all(performing);
}

test(
  `random faults, with a consumer that holds every answer against what was published: ${REPEAT}`,
  async () => {
    console.log(REPEAT);
    const draw = drawFrom(SEED);
    const world = await startFuzzWorld();
    try {
      const until = Date.now() + MINUTES * 60_000;
      for (let n = 1; Date.now() < until; n++) {
        const round = nextRound(draw);
        console.log(`${String(n)}: ${round.map(({ fault, forMs }) => `${fault.name} ${String(forMs)} ms`).join(', ')}`);
        await perform(world, round);
        const back = await world.witness.recovery(performance.now(), MAX_BACK_MS);
        console.log(`   back after ${JSON.stringify(back)}; ${String(world.witness.checked)} answers checked`);
        expect(world.witness.objections()).toEqual([]);
      }
      await world.stopSource();
      expect(await world.witness.finish()).toEqual(FAULTLESS);
    } finally {
      await world.stop();
    }
  },
  2 ** 31 - 1,
);
