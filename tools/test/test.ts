import { runTests } from './run.ts';
import { beforeJest } from './stages.ts';

await runTests(beforeJest(), process.argv.slice(2));
