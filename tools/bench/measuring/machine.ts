import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** /proc counts CPU time in hundredths of a second, on all Linux. */
const MICROS_PER_TICK = 10_000;

interface ProcessTimes {
  parent: number;
  /** µs, user and system, of itself */
  own: number;
  /** µs, of children that have ended and been waited for */
  ended: number;
}

/** What a line of /proc/<pid>/stat says; its second field is a name that may hold anything. */
export function parseStat(text: string): ProcessTimes {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (n: number): number => Number(fields[n - 3]);
  return {
    parent: field(4),
    own: (field(14) + field(15)) * MICROS_PER_TICK,
    ended: (field(16) + field(17)) * MICROS_PER_TICK,
  };
}

export type ProcessTable = ReadonlyMap<number, ProcessTimes>;

function readProcesses(): ProcessTable {
  const table = new Map<number, ProcessTimes>();
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      table.set(Number(name), parseStat(readFileSync(`/proc/${name}/stat`, 'utf8')));
    } catch {
      // It has ended meanwhile; who waited for it has its time.
    }
  }
  return table;
}

const MAX_READS = 10;

/**
 * Of the processes and what they have started. What ends while the table is read would be missed: it is neither there, nor
 * counted yet by who waited for it. So it is read until nothing ended meanwhile.
 */
export function readSettled(pids: readonly number[], read = readProcesses): ProcessTable {
  const endedIn = (table: ProcessTable): number => pids.reduce((sum, pid) => sum + endedOfTree(table, pid), 0);
  let table = read();
  for (let n = 1; n < MAX_READS; n++) {
    const next = read();
    if (endedIn(next) === endedIn(table)) return next;
    table = next;
  }
  return table;
}

function endedOfTree(table: ProcessTable, pid: number): number {
  const children = [...table].filter(([, { parent }]) => parent === pid);
  return (table.get(pid)?.ended ?? 0) + children.reduce((sum, [child]) => sum + endedOfTree(table, child), 0);
}

/** µs of CPU that a process, what it has started, and what has ended of that have used. */
export function cpuOfTree(table: ProcessTable, pid: number): number {
  const root = table.get(pid);
  if (!root) return 0;
  const children = [...table].filter(([, { parent }]) => parent === pid);
  return root.own + root.ended + children.reduce((sum, [child]) => sum + cpuOfTree(table, child), 0);
}

/** Processes by what they are called in results. */
export type Processes = Record<string, number>;

/** µs of CPU by process between two moments, each with all that it has started: of Postgres, all its backends. */
export class CpuMeter {
  private readonly processes: Processes;
  private readonly before: Record<string, number>;

  constructor(processes: Processes) {
    this.processes = processes;
    this.before = readCpu(processes);
  }

  /** µs of a process that has just been started: all that it has used. */
  static since(pid: number): number {
    return cpuOfTree(readProcesses(), pid);
  }

  read(): Record<string, number> {
    const now = readCpu(this.processes);
    return Object.fromEntries(Object.entries(now).map(([name, micros]) => [name, micros - (this.before[name] ?? 0)]));
  }
}

function readCpu(processes: Processes): Record<string, number> {
  const table = readSettled(Object.values(processes));
  return Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, cpuOfTree(table, pid)]));
}

/** What the process needed to start is not counted in `peakMemory` any more. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${String(pid)}/clear_refs`, '5');
}

/** The most that the process has had in memory since it started, or since `forgetPeak`, MiB. */
export function peakMemory(pid: number): number {
  const [, kB] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kB) / 1_024;
}

/** What this machine has used until now. */
export interface MachineSample {
  /** ms */
  at: number;
  /** µs of CPU, of everything */
  busy: number;
  /** µs that somebody outside took */
  steal: number;
  /** µs of CPU, of this process and all that it has started */
  ours: number;
  /** µs in which somebody had to wait for a core; undefined where the kernel does not tell */
  pressure: number | undefined;
}

export function sampleMachine(): MachineSample {
  const [, user = 0, nice = 0, system = 0, , , , , steal = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return {
    at: performance.now(),
    busy: (user + nice + system) * MICROS_PER_TICK,
    steal: steal * MICROS_PER_TICK,
    ours: cpuOfTree(readSettled([process.pid]), process.pid),
    pressure: readPressure(),
  };
}

function readPressure(): number | undefined {
  if (!existsSync('/proc/pressure/cpu')) return undefined;
  const [, total] = /some .*total=(\d+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8')) ?? [];
  return total === undefined ? undefined : Number(total);
}

/** How it was on the machine while something was measured. */
export interface Conditions {
  seconds: number;
  /** cores that others than the benchmark used, on average */
  others: number;
  /** cores that were taken from outside, on average */
  steal: number;
  /** share of the time in which somebody waited for a core, also of our own */
  pressure?: number;
}

export function conditionsBetween(from: MachineSample, to: MachineSample): Conditions {
  const micros = (to.at - from.at) * 1_000;
  const others = to.busy - from.busy - (to.ours - from.ours);
  return {
    seconds: micros / 1e6,
    others: Math.max(0, others / micros),
    steal: (to.steal - from.steal) / micros,
    ...(from.pressure === undefined || to.pressure === undefined
      ? {}
      : { pressure: (to.pressure - from.pressure) / micros }),
  };
}

/** Cores that others may use before it is seen in the figures: what a kernel and an idle machine use is below it. */
const MAX_OTHERS = 0.15;
const MAX_STEAL = 0.03;

/** Why what was measured then says nothing of the system; empty when the machine was ours. */
export function disturbancesOf({ others, steal }: Conditions): string[] {
  return [
    ...(others > MAX_OTHERS ? [`others used ${others.toFixed(2)} cores`] : []),
    ...(steal > MAX_STEAL ? [`${steal.toFixed(2)} cores were taken from outside`] : []),
  ];
}

/** What a figure was measured on. */
export interface Machine {
  cores: number;
  cpu: string;
  memoryGiB: number;
  kernel: string;
  node: string;
}

export function describeMachine(): Machine {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
  };
}

/** The commit that is measured; with a mark when the work tree holds something else. */
export function describeCommit(directory: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs') !== '';
    return git('rev-parse', '--short=10', 'HEAD') + (changed ? ' with changes' : '');
  } catch {
    return 'unknown';
  }
}

/** µs of each process for each of so many, as figures: `cpu.postgres`. */
export function cpuPer(count: number, micros: Record<string, number>, prefix = 'cpu.'): Record<string, number> {
  return Object.fromEntries(Object.entries(micros).map(([name, sum]) => [prefix + name, sum / count]));
}
