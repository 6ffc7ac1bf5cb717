import { runTests } from './kjoring.ts';
import { beforeJest } from './trinn.ts';

await runTests(beforeJest(), process.argv.slice(2));
