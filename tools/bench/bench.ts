import { parseArgs } from 'node:util';
import { avstemming } from './avstemming.ts';
import { exportBench } from './export.ts';
import { freshness } from './freshness.ts';
import { ingest } from './ingest.ts';
import { ingestWhileReading } from './ingest-while-reading.ts';
import { query } from './query.ts';
import { sync } from './sync.ts';
import { growth } from './growth.ts';

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
const count = Number(values.antall);
const rounds = Number(values.runder);
const benches: Record<string, () => Promise<unknown>> = {
  ingest: () => ingest({ antall: count, rounds, oppdateringer: values.oppdateringer }),
  query: () => query({ avtaler: count, rounds, bulk: values.bulk }),
  eksport: () => exportBench({ avtaler: count, rounds }),
  avstemming: () => avstemming({ avtaler: count, rounds }),
  ferskhet: () => freshness({ rounds }),
  lesing: () => ingestWhileReading({ antall: count, rounds }),
  synk: () => sync({ antall: count, rounds }),
  vekst: () => growth({ avtaler: count, rounds }),
};
const bench = benches[positionals[0] ?? ''];
if (!bench || !(count >= 1_000) || !(rounds >= 1)) {
  console.error(
    `Usage: npm run bench -- <${Object.keys(benches).join('|')}> [--antall N (from 1000)] [--runder N] [--oppdateringer] [--bulk]`,
  );
  process.exitCode = 1;
} else {
  console.log(
    JSON.stringify({ bench: positionals[0], tid: new Date().toISOString(), ...((await bench()) as object) }, null, 2),
  );
}
