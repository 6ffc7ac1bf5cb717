import { runTests } from './run.ts';
import { BUILD } from './stages.ts';

/** The faults that take minutes to survive. One at a time: each needs the machine for itself. */
await runTests([BUILD], ['--testMatch=**/*.fault.spec.ts', '--runInBand', ...process.argv.slice(2)]);
