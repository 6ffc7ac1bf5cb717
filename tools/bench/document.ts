import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { BENCHMARKS, type Benchmark, type BySize, type Figure, type Goal } from './catalogue.ts';
import { median } from './measuring/statistics.ts';
import { formatted, readResults, type Result } from './results.ts';
import { withFigures } from './scaling-figures.ts';

const PAGE = join(ROOT, 'docs', 'benchmarks.md');
const SCALING_PAGE = join(ROOT, 'docs', 'scaling.md');

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

/** docs/benchmarks.md anew, from the catalogue and the results that there are, and the figures in docs/scaling.md. */
export async function writePage(): Promise<void> {
  writeFileSync(PAGE, await benchmarkPage());
  writeFileSync(SCALING_PAGE, await scalingPage());
}

/** As it should be. */
export function scalingPage(): Promise<string> {
  return formatted(withFigures(readScalingPage(), readResults()), SCALING_PAGE);
}

export function readScalingPage(): string {
  return readFileSync(SCALING_PAGE, 'utf8');
}

/** The page as it should be. */
export function benchmarkPage(): Promise<string> {
  return formatted(pageText(readResults()), PAGE);
}

export function pageText(results: Record<string, Result>): string {
  const sections = BENCHMARKS.map((benchmark) => section(benchmark, results[benchmark.name]));
  return [INTRODUCTION, ...sections].join('\n\n');
}

const INTRODUCTION = `# Benchmarks

Made by \`npm run bench\` from what stands in \`docs/benchmarks\`; no figure in it is typed. \`npm run bench -- alt\` measures everything but the runs that take an hour or more, \`-- alt --kort\` the same with fewer and shorter rounds, \`-- <name>\` one of them, which replaces its own result only. \`-- <name> --proeve\` is a small run to see that it works, and keeps nothing.

The built apps are measured over their real interfaces, and it is checked that what they answer and store is complete and right before a figure is kept. Where there is a limit, it does the same bytes with nothing around them, in the same round, and they take turns at being first (ABBA). What asks is a process of its own; a round in which it was late, or in which others used the machine, is thrown away and taken again. Before each measurement everything that was written is on disk. CPU time is user and system time of all processes that take part, from the operating system: hardly anything disturbs it, so it is the figure to steer by. A figure is the median of its rounds.

On a machine that others use, rates, times and ratios say nothing, and the word *disturbed* stands in their place.`;

function section(benchmark: Benchmark, result: Result | undefined): string {
  const { title, measured, cases, bySize } = benchmark;
  const command = `npm run bench -- ${benchmark.arguments ?? benchmark.name}`;
  const tables = cases.map(({ name, figures }) => {
    const heading = name === '' ? '' : `### ${title}: ${name}\n\n`;
    const troubles = result?.troubles[name] ?? [];
    return heading + troubleText(troubles) + table(figures, result?.figures[name], troubles.length > 0);
  });
  return [
    `## ${title}`,
    `\`${command}\`. ${measured}`,
    provenance(result),
    ...tables,
    ...(bySize ? sizeTables(bySize, result) : []),
  ].join('\n\n');
}

/** Sizes beside each other, the smallest first. */
function sizeTables({ figures, details }: BySize, result: Result | undefined): string[] {
  if (!result) return [];
  const sizes = Object.keys(result.figures);
  const troubles = sizes.flatMap((size) => result.troubles[size] ?? []);
  const rowOf = (figure: Figure): string[] => [
    figure.unit === '' ? figure.label : `${figure.label}, ${figure.unit}`,
    goalText(figure.goal),
    ...sizes.map((size) => {
      // A ratio is as disturbed as either of the two.
      const parts = figure.ofFirst ? sizes.slice(0, 1).concat(size) : [size];
      const disturbed = parts.some((part) => (result.troubles[part] ?? []).length > 0);
      return reached(figure, roundsOf(figure, size, result), disturbed)[0];
    }),
  ];
  const small = details.map(({ prefix, title }) => {
    const ids = [...new Set(sizes.flatMap((size) => Object.keys(result.figures[size] ?? {})))];
    const rows = ids
      .filter((id) => id.startsWith(prefix))
      .map((id) => rowOf({ id, label: `\`${id.slice(prefix.length)}\``, unit: '', robust: true }))
      .map(([label = '', , ...cells]) => [label, ...cells]);
    return markdown([title, ...sizes], rows);
  });
  return [troubleText([...new Set(troubles)]) + markdown(['figure', 'goal', ...sizes], figures.map(rowOf)), ...small];
}

/** Of a size; as many times that of the smallest, where that is told. */
function roundsOf({ id, ofFirst }: Figure, size: string, { figures }: Result): number[] | undefined {
  const rounds = figures[size]?.[id];
  if (!ofFirst) return rounds;
  const [first = ''] = Object.keys(figures);
  const few = figures[first]?.[id];
  return rounds && few && size !== first ? [median(rounds) / median(few)] : undefined;
}

function provenance(result: Result | undefined): string {
  if (!result) return 'Not measured.';
  const { measured, commit, machine, rounds, seconds, short, thrownAway, conditions, sizes } = result;
  const size = Object.entries(sizes).map(([name, number]) => `${shown(number)} ${name}`);
  const pressure =
    conditions.pressure === undefined
      ? ''
      : `, somebody waited for a core ${shown(conditions.pressure * 100)} % of the time`;
  return [
    `${measured.slice(0, 10)}, commit ${commit}; ${String(machine.cores)} cores (${machine.cpu}), ${String(machine.memoryGiB)} GiB, Node ${machine.node}.`,
    `${[...size, `${String(rounds)} rounds`, `${String(seconds)} s where percentiles are told`].join(', ')}.`,
    short ? '**A short run: fewer and shorter rounds than a result should have.**' : '',
    `At most, others used ${shown(conditions.others)} cores, and ${shown(conditions.steal)} were taken from outside${pressure}.`,
    thrownAway > 0 ? `${String(thrownAway)} rounds were thrown away.` : '',
    ...Object.entries(result.earlier ?? {}).map(
      ([size, run]) => `${size} are of an earlier run, ${run.measured.slice(0, 10)}, commit ${run.commit}.`,
    ),
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

/** A run beside others may have very many. */
const MAX_TROUBLES = 3;

function troubleText(troubles: readonly string[]): string {
  if (troubles.length === 0) return '';
  const more = troubles.length - MAX_TROUBLES;
  const told = troubles.slice(0, MAX_TROUBLES).join('; ');
  return `**Disturbed**: ${told}${more > 0 ? `; and ${String(more)} more` : ''}.\n\n`;
}

function table(figures: Figure[], values: Record<string, number[]> | undefined, disturbed: boolean): string {
  const rows = figures.map((figure) => [
    figure.unit === '' ? figure.label : `${figure.label}, ${figure.unit}`,
    goalText(figure.goal),
    ...reached(figure, values?.[figure.id], disturbed),
  ]);
  return markdown(['figure', 'goal', 'reached', 'rounds'], rows);
}

function markdown(heading: string[], rows: string[][]): string {
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function reached({ goal, robust }: Figure, rounds: number[] | undefined, disturbed: boolean): [string, string] {
  if (!rounds || rounds.length === 0) return ['not measured', ''];
  if (disturbed && !robust) return ['disturbed', ''];
  const value = median(rounds);
  const text = goal && !isReached(goal, value) ? `${shown(value)}, not reached` : shown(value);
  return [`**${text}**`, rounds.map(shown).join(' · ')];
}

function goalText(goal: Goal | undefined): string {
  if (!goal) return '';
  return 'atLeast' in goal ? `≥ ${shown(goal.atLeast)}` : `≤ ${shown(goal.atMost)}`;
}

export function isReached(goal: Goal, value: number): boolean {
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** Three digits that mean something, and thousands apart. */
function shown(number: number): string {
  const digits = Math.abs(number) >= 100 ? Math.round(number) : Number(number.toPrecision(3));
  return digits.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
