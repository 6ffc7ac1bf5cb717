import { readResults, writeResults } from './document.ts';

/** `npm run feil`: docs/faults.md anew, from the catalogue and the results that there are. */
await writeResults(readResults());
