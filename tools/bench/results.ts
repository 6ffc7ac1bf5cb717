import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '@tiltak/testing';
import { describeCommit, describeMachine, type Conditions, type Machine } from './measuring/machine.ts';
import type { GrowthOptions } from './benchmarks/growth.ts';
import type { TakenRounds } from './measuring/rounds.ts';

/** How large a run is. */
export interface RunOptions {
  rounds: number;
  /** of a load whose percentiles are told */
  seconds: number;
  /** of a load that is only counted, and whose CPU time is measured */
  rateSeconds: number;
  /** of the benchmark's own kind: avtaler, messages, followers; undefined: as many as it is meant for */
  count: number | undefined;
  /** fewer and shorter rounds than a result should have */
  short: boolean;
  /** only to see that it works: as little as can be, and nothing is kept */
  trial: boolean;
  /** of the benchmark of growth alone */
  growth?: GrowthOptions;
}

/** By case and figure: one number for each round. */
export type Figures = Record<string, Record<string, number[]>>;

/** What a benchmark has found. */
export class Findings {
  /** what it was run with, for whoever reads the result */
  readonly sizes: Record<string, number>;
  readonly figures: Figures = {};
  readonly troubles: Record<string, string[]> = {};
  readonly conditions: Conditions[] = [];
  thrownAway = 0;

  constructor(sizes: Record<string, number>) {
    this.sizes = sizes;
  }

  /** What was measured in each round of a case. */
  add(name: string, { values, troubles, conditions, thrownAway }: TakenRounds<Record<string, number>>): void {
    const figures = (this.figures[name] ??= {});
    for (const value of values) {
      for (const [figure, number] of Object.entries(value)) (figures[figure] ??= []).push(rounded(number));
    }
    if (troubles.length > 0) this.troubles[name] = [...(this.troubles[name] ?? []), ...troubles];
    this.conditions.push(...conditions);
    this.thrownAway += thrownAway;
  }
}

function rounded(number: number): number {
  return Number(number.toPrecision(4));
}

/** As it is kept in docs/benchmarks, a file for each benchmark. */
export interface Result {
  /** RFC 3339 */
  measured: string;
  commit: string;
  machine: Machine;
  sizes: Record<string, number>;
  rounds: number;
  seconds: number;
  /** with fewer and shorter rounds than a result should have */
  short: boolean;
  thrownAway: number;
  /** by case: why its rates, times and ratios say nothing; without the cases of which they do */
  troubles: Record<string, string[]>;
  /** the worst of all measurements that count */
  conditions: Pick<Conditions, 'others' | 'steal'> & { pressure?: number };
  figures: Figures;
  /** the sizes of a benchmark by size that an earlier run measured, and this one did not */
  earlier?: Record<string, Pick<Result, 'measured' | 'commit'>>;
}

export function toResult(findings: Findings, { rounds, seconds, short }: RunOptions): Result {
  const worst = (read: (conditions: Conditions) => number): number =>
    rounded(findings.conditions.reduce((most, conditions) => Math.max(most, read(conditions)), 0));
  const hasPressure = findings.conditions.some(({ pressure }) => pressure !== undefined);
  return {
    measured: new Date().toISOString(),
    commit: describeCommit(ROOT),
    machine: describeMachine(),
    sizes: findings.sizes,
    rounds,
    seconds,
    short,
    thrownAway: findings.thrownAway,
    troubles: findings.troubles,
    conditions: {
      others: worst(({ others }) => others),
      steal: worst(({ steal }) => steal),
      ...(hasPressure ? { pressure: worst(({ pressure }) => pressure ?? 0) } : {}),
    },
    figures: findings.figures,
  };
}

const DIRECTORY = join(ROOT, 'docs', 'benchmarks');

/** By name of the benchmark. */
export function readResults(): Record<string, Result> {
  if (!existsSync(DIRECTORY)) return {};
  const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    files.map((name) => [
      name.slice(0, -'.json'.length),
      JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8')) as Result,
    ]),
  );
}

/** With the sizes that only an earlier result of the same machine has, and all of them in order. */
export function withEarlierSizes(result: Result, before: Result | undefined): Result {
  if (!before || JSON.stringify(before.machine) !== JSON.stringify(result.machine)) return result;
  const kept = Object.keys(before.figures).filter((size) => !(size in result.figures));
  if (kept.length === 0) return result;
  const { measured, commit } = before;
  const bySize = <T>(of: Record<string, T>, old: Record<string, T>): Record<string, T> => {
    const all = [
      ...Object.entries(of),
      ...kept.flatMap((size) => (old[size] === undefined ? [] : [[size, old[size]] as const])),
    ];
    return Object.fromEntries(all.sort(([a], [b]) => sizeOf(a) - sizeOf(b)));
  };
  return {
    ...result,
    troubles: bySize(result.troubles, before.troubles),
    figures: bySize(result.figures, before.figures),
    earlier: Object.fromEntries(kept.map((size) => [size, before.earlier?.[size] ?? { measured, commit }])),
  };
}

/** «1,000,000 avtaler» */
const sizeOf = (name: string): number => Number(name.replaceAll(/\D/g, ''));

/** Replaces the benchmark's own result, and no other. */
export async function writeResult(name: string, result: Result): Promise<void> {
  mkdirSync(DIRECTORY, { recursive: true });
  const file = join(DIRECTORY, `${name}.json`);
  writeFileSync(file, await formatted(JSON.stringify(result), file));
}

/** As the project's other files are. */
export async function formatted(text: string, file: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}
