import { runTests } from './run.ts';
import { BUILD } from './stages.ts';

/** Long random runs. Each prints the seed and size that repeat it: FUZZ_SEED, FUZZ_AVTALER. */
await runTests([BUILD], ['--testMatch=**/*.fuzz.spec.ts', '--runInBand', ...process.argv.slice(2)]);
