import { kjorTester } from './kjoring.ts';
import { BYGG } from './trinn.ts';

/** Long random runs. Each prints the seed and size that repeat it: FUZZ_SEED, FUZZ_AVTALER. */
await kjorTester([BYGG], ['--testMatch=**/*.fuzz.spec.ts', '--runInBand', ...process.argv.slice(2)]);
