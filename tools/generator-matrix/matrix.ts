import { setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, runProgram } from '@tiltak/testing';
import { environmentWith } from '../local/options.ts';
import { readAnswers } from './answers.ts';
import { buildClient, type Command } from './build.ts';
import { CASES, judge, type Case, type Facts, type Outcome } from './cases.ts';
import { writeResults } from './document.ts';
import { GENERATORS, SETTINGS, type Generator, type Settings, type SettingsName } from './generators.ts';
import { recordAnswers } from './record.ts';
import { startReplay, type Replay } from './replay.ts';
import { findWorse, readResults, type Results, type Run } from './results.ts';
import { BuildError } from './workshop.ts';

const USAGE = `Usage: npm run klientmatrise -- [--generator <name>]… [--dokument <file>] [--opptak]

Generates a client with each generator, compiles it, and gives it recorded answers; writes docs/clients.md. One at a time,
and out of the way of what else runs. Exit code 1: something that worked before doesn't.

  --generator  only these: ${GENERATORS.map(({ name }) => name).join(', ')}
  --dokument   another document than apps/query-api/openapi.json; nothing is kept then
  --opptak     records the answers anew, from a query-api that is started for it (npx nx build query-api first)
`;

interface Options {
  generators: readonly Generator[];
  document: string | undefined;
  record: boolean;
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        generator: { type: 'string', multiple: true },
        dokument: { type: 'string' },
        opptak: { type: 'boolean', default: false },
      },
    });
    const names = values.generator ?? GENERATORS.map(({ name }) => name);
    const generators = GENERATORS.filter(({ name }) => names.includes(name));
    if (generators.length !== new Set(names).size) return undefined;
    return { generators, document: values.dokument && resolve(values.dokument), record: values.opptak };
  } catch {
    return undefined;
  }
}

async function runMatrix({ generators, document }: Options): Promise<boolean> {
  const before = readResults();
  const results: Results = { ...before };
  const replay = await startReplay();
  try {
    for (const generator of generators) {
      const runs: Partial<Record<SettingsName, Run>> = {};
      for (const name of SETTINGS) {
        runs[name] = await tryGenerator(generator, name, { document, replay });
        tell(generator, name, runs[name]);
      }
      results[generator.name] = runs;
      if (document === undefined) await writeResults({ ...readResults(), [generator.name]: runs });
    }
  } finally {
    await replay.stop();
  }
  const worse = findWorse(before, results);
  for (const what of worse) console.log(`worked before: ${what}`);
  const runs = generators.flatMap(({ name }) => Object.values(results[name] ?? {}));
  const outcomes = runs.flatMap((run) => ('notBuilt' in run ? [] : Object.values(run.cases)));
  const held = outcomes.filter(({ ok }) => ok).length;
  console.log(`${String(runs.length)} clients; cases that hold, and that held before and no longer do:`);
  console.log(`${String(held)} passed, ${String(worse.length)} failed`);
  return worse.length === 0;
}

async function tryGenerator(
  generator: Generator,
  name: SettingsName,
  { document = DOCUMENT, replay }: { document: string | undefined; replay: Replay },
): Promise<Run> {
  const settings: Settings = name === 'standard' ? {} : generator.recommended;
  try {
    const command = await buildClient(generator, name, settings, document);
    return { cases: await ask(command, settings, replay) };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.log(error.message);
    return { notBuilt: reasonIn(error.message) };
  }
}

/** The first that a compiler says is wrong, or how it ended. */
function reasonIn(message: string): string {
  const [how = '', ...said] = message.split('\n');
  const wrong = said.find((line) => /\b(error|redeclared|cannot|undefined)\b/i.test(line));
  return wrong ? wrong.trim().replace(/^\S*\/(?=[^/]+:\d)/, '') : how;
}

const DOCUMENT = join(ROOT, 'apps', 'query-api', 'openapi.json');

async function ask(
  { program, args, env = {} }: Command,
  { argument }: Settings,
  replay: Replay,
): Promise<Record<Case, Outcome>> {
  const answers = readAnswers();
  const { avtaleId } = JSON.parse(answers.avtale.body) as { avtaleId: string };
  const base = replay.url('kjent').slice(0, -'/kjent'.length);
  const asked = [base, avtaleId, answers.avtale.headers['etag'] ?? '', ...(argument === undefined ? [] : [argument])];
  const { printout } = await runProgram(program, [...args, ...asked], { env: environmentWith(env) });
  const facts = new Map(printout.split('\n').flatMap(readFacts));
  if (facts.size < CASES.length) console.log(printout);
  const outcomes = CASES.map(
    ({ name }) => [name, judge(name, facts.get(name), replay.takeBodies(name), answers)] as const,
  );
  return Object.fromEntries(outcomes) as Record<Case, Outcome>;
}

function readFacts(line: string): [string, Facts][] {
  if (!line.startsWith('{"')) return [];
  const facts = JSON.parse(line) as Facts;
  return typeof facts['case'] === 'string' ? [[facts['case'], facts]] : [];
}

function tell({ name }: Generator, settings: SettingsName, run: Run): void {
  if ('notBuilt' in run) return console.log(`${name}, ${settings}: not built`);
  const wrong = CASES.filter((known) => !run.cases[known.name].ok);
  const how = wrong.map((known) => `${known.name} (${run.cases[known.name].seen})`).join('; ');
  console.log(`${name}, ${settings}: ${how === '' ? 'all cases' : `not ${how}`}`);
}

const options = readOptions();
if (!options) {
  console.error(USAGE);
  process.exit(2);
}
// Whoever runs it goes on working meanwhile.
setPriority(3);
if (options.record) await recordAnswers();
else if (!(await runMatrix(options))) process.exitCode = 1;
