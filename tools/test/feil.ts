import { kjorTester } from './kjoring.ts';
import { BYGG } from './trinn.ts';

/** The faults that take minutes to survive. One at a time: each needs the machine for itself. */
await kjorTester([BYGG], ['--testMatch=**/*.feil.spec.ts', '--runInBand', ...process.argv.slice(2)]);
