import { runTests } from './kjoring.ts';
import { BUILD } from './trinn.ts';

/** The faults that take minutes to survive. One at a time: each needs the machine for itself. */
await runTests([BUILD], ['--testMatch=**/*.feil.spec.ts', '--runInBand', ...process.argv.slice(2)]);
