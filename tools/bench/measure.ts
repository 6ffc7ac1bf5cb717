import { readFileSync } from 'node:fs';

/** Numbers of one kind, one for each round. */
export interface Rounds {
  rounds: number[];
  median: number;
}

export function median(rounds: number[]): Rounds {
  const sorted = [...rounds].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { rounds: rounds.map(round), median: round(middle) };
}

/** The median of the ratios of each round: a noisy neighbour slows both of a pair. */
export function ratio(numerators: number[], denominators: number[]): Rounds {
  return median(numerators.map((value, i) => value / (denominators[i] ?? Number.NaN)));
}

function round(number: number): number {
  return number >= 100 ? Math.round(number) : Math.round(number * 1_000) / 1_000;
}

/** The most that the process has had in memory, MiB. */
export function maxRss(pid: number): number {
  const [, kB] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kB) / 1_024;
}

export function p99(number: number[]): number {
  return [...number].sort((a, b) => a - b)[Math.floor(number.length * 0.99)] ?? Number.NaN;
}
