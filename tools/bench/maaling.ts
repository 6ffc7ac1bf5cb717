import { readFileSync } from 'node:fs';

/** Numbers of one kind, one for each round. */
export interface Runder {
  runder: number[];
  median: number;
}

export function median(runder: number[]): Runder {
  const sortert = [...runder].sort((a, b) => a - b);
  const midt = sortert[Math.floor(sortert.length / 2)] ?? Number.NaN;
  return { runder: runder.map(avrund), median: avrund(midt) };
}

/** The median of the ratios of each round: a noisy neighbour slows both of a pair. */
export function forhold(teller: number[], nevner: number[]): Runder {
  return median(teller.map((verdi, i) => verdi / (nevner[i] ?? Number.NaN)));
}

function avrund(tall: number): number {
  return tall >= 100 ? Math.round(tall) : Math.round(tall * 1_000) / 1_000;
}

/** The most that the process has had in memory, MiB. */
export function maksRss(pid: number): number {
  const [, kB] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kB) / 1_024;
}

export function p99(tall: number[]): number {
  return [...tall].sort((a, b) => a - b)[Math.floor(tall.length * 0.99)] ?? Number.NaN;
}
