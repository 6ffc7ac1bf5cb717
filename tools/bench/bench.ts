import { parseArgs } from 'node:util';
import { avstemming } from './avstemming.ts';
import { eksport } from './eksport.ts';
import { ferskhet } from './ferskhet.ts';
import { ingest } from './ingest.ts';
import { lesing } from './lesing.ts';
import { query } from './query.ts';
import { synk } from './synk.ts';
import { vekst } from './vekst.ts';

/** `npm run bench -- <name>`: prints JSON. See docs/benchmarks.md. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    antall: { type: 'string', default: '100000' },
    runder: { type: 'string', default: '3' },
    oppdateringer: { type: 'boolean', default: false },
    bulk: { type: 'boolean', default: false },
  },
});
const antall = Number(values.antall);
const runder = Number(values.runder);
const benker: Record<string, () => Promise<unknown>> = {
  ingest: () => ingest({ antall, runder, oppdateringer: values.oppdateringer }),
  query: () => query({ avtaler: antall, runder, bulk: values.bulk }),
  eksport: () => eksport({ avtaler: antall, runder }),
  avstemming: () => avstemming({ avtaler: antall, runder }),
  ferskhet: () => ferskhet({ runder }),
  lesing: () => lesing({ antall, runder }),
  synk: () => synk({ antall, runder }),
  vekst: () => vekst({ avtaler: antall, runder }),
};
const benk = benker[positionals[0] ?? ''];
if (!benk || !(antall >= 1_000) || !(runder >= 1)) {
  console.error(
    `Usage: npm run bench -- <${Object.keys(benker).join('|')}> [--antall N (from 1000)] [--runder N] [--oppdateringer] [--bulk]`,
  );
  process.exitCode = 1;
} else {
  console.log(
    JSON.stringify({ benk: positionals[0], tid: new Date().toISOString(), ...((await benk()) as object) }, null, 2),
  );
}
