import { parseArgs } from 'node:util';
import { audit } from './benchmarks/audit.ts';
import { avstemming } from './benchmarks/avstemming.ts';
import { exportBench } from './benchmarks/export.ts';
import { followers } from './benchmarks/followers.ts';
import { freshness } from './benchmarks/freshness.ts';
import { growth, type GrowthOptions } from './benchmarks/growth.ts';
import { hour } from './benchmarks/hour.ts';
import { ingest, ingestUpdates } from './benchmarks/ingest.ts';
import { query, queryBulk } from './benchmarks/query.ts';
import { reading } from './benchmarks/reading.ts';
import { rebuild } from './benchmarks/rebuild.ts';
import { scaling } from './benchmarks/scaling.ts';
import { start } from './benchmarks/start.ts';
import { sync } from './benchmarks/sync.ts';
import { virksomheter } from './benchmarks/virksomheter.ts';
import { BENCHMARKS } from './catalogue.ts';
import { writePage } from './document.ts';
import { keepStockIn } from './stock.ts';
import { readResults, toResult, withEarlierSizes, writeResult, type Findings, type RunOptions } from './results.ts';

/** `npm run bench -- <name>`: measures, keeps the result, and writes docs/benchmarks.md anew. */
const RUN: Record<string, (options: RunOptions) => Promise<Findings>> = {
  query,
  'query-bulk': queryBulk,
  ingest,
  'ingest-oppdateringer': ingestUpdates,
  ferskhet: freshness,
  lesing: reading,
  eksport: exportBench,
  synk: sync,
  avstemming,
  folgere: followers,
  gjenoppbygging: rebuild,
  start,
  skalering: scaling,
  vekst: growth,
  time: hour,
  revisjon: audit,
  virksomheter,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    antall: { type: 'string' },
    runder: { type: 'string' },
    minutter: { type: 'string' },
    kort: { type: 'boolean', default: false },
    proeve: { type: 'boolean', default: false },
    oppdateringer: { type: 'boolean', default: false },
    bulk: { type: 'boolean', default: false },
    stoerrelser: { type: 'string' },
    'gjennom-ingestoren': { type: 'string' },
    strekk: { type: 'string' },
    'uten-kopi': { type: 'boolean', default: false },
    lager: { type: 'string' },
  },
});

const FULL: RunOptions = { rounds: 3, seconds: 30, rateSeconds: 10, count: undefined, short: false, trial: false };
const SHORT: RunOptions = { ...FULL, rounds: 1, seconds: 12, rateSeconds: 6, short: true };
const TRIAL: RunOptions = { ...FULL, rounds: 1, seconds: 2, rateSeconds: 1, short: true, trial: true };

function readOptions(): RunOptions {
  const standard = values.proeve ? TRIAL : values.kort ? SHORT : FULL;
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  const rounds = number(values.runder) ?? standard.rounds;
  return {
    ...standard,
    rounds,
    short: standard.short || rounds < FULL.rounds,
    count: number(values.antall ?? values.minutter) ?? standard.count,
    growth: readGrowthOptions(number),
  };
}

function readGrowthOptions(number: (text: string | undefined) => number | undefined): GrowthOptions {
  const [ingested, stretchSeconds] = [number(values['gjennom-ingestoren']), number(values.strekk)];
  return {
    ...(values.stoerrelser === undefined ? {} : { sizes: values.stoerrelser.split(',').map(Number) }),
    ...(ingested === undefined ? {} : { ingested }),
    ...(stretchSeconds === undefined ? {} : { stretchSeconds }),
    takeLargest: values['uten-kopi'],
  };
}

async function run(name: string, options: RunOptions): Promise<void> {
  console.error(`${name} …`);
  const begun = performance.now();
  const findings = await RUN[name]?.(options);
  if (!findings) throw new Error(`There is no benchmark ${name}`);
  const result = toResult(findings, options);
  console.error(`${name}: ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  console.log(JSON.stringify({ bench: name, ...result }, null, 2));
  if (options.trial) return;
  const { bySize } = BENCHMARKS.find((benchmark) => benchmark.name === name) ?? {};
  await writeResult(name, bySize ? withEarlierSizes(result, readResults()[name]) : result);
  await writePage();
}

/** Each in turn; one that fails leaves its earlier result, and is told of at the end. */
async function runAll(options: RunOptions): Promise<void> {
  const failed: string[] = [];
  for (const { name, alone } of BENCHMARKS) {
    if (alone) continue;
    await run(name, options).catch((error: unknown) => {
      console.error(error);
      failed.push(name);
    });
  }
  if (failed.length > 0) throw new Error(`Not measured: ${failed.join(', ')}`);
}

const [given = ''] = positionals;
const name = given + (values.bulk ? '-bulk' : '') + (values.oppdateringer ? '-oppdateringer' : '');
if (values.lager !== undefined) keepStockIn(values.lager);
const options = readOptions();
const isUsable = Number.isInteger(options.rounds) && options.rounds >= 1 && !((options.count ?? 1) < 1);
if (given === 'dokument') await writePage();
else if (!isUsable || (given !== 'alt' && !(name in RUN))) {
  const names = [...Object.keys(RUN).filter((known) => !known.includes('-')), 'alt', 'dokument'].join('|');
  console.error(
    `Usage: npm run bench -- <${names}> [--antall N] [--runder N] [--kort] [--proeve] [--bulk] [--oppdateringer] [--minutter N]`,
  );
  process.exitCode = 1;
} else if (given === 'alt') await runAll(options);
else await run(name, options);
