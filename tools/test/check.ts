import { kjorTrinn, SJEKK } from './trinn.ts';

// All of them, also when one fails: whoever runs this wants to know everything that is wrong.
for (const trinn of SJEKK) if (!(await kjorTrinn(trinn))) process.exitCode = 1;
