import { runStage, CHECK } from './stages.ts';

// All of them, also when one fails: whoever runs this wants to know everything that is wrong.
for (const stage of CHECK) if (!(await runStage(stage))) process.exitCode = 1;
