import { kjorTester } from './kjoring.ts';
import { foerJest } from './trinn.ts';

await kjorTester(foerJest(), process.argv.slice(2));
