import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** The product's query-api, as it is built, in a process of its own. */
export interface QueryApiProcess {
  url: string;
  /** How it ended, and what it wrote last; undefined while it runs. */
  ended: () => string | undefined;
  /** From now on its clock is so far ahead of this machine's; behind, when negative. */
  setClock: (aheadMs: number) => Promise<void>;
  stop: () => Promise<void>;
}

interface ProcessOptions {
  /** the program, and what gives it its clock */
  program: string;
  clockHook: string;
  port: number;
  environment: Record<string, string>;
  /** what it writes; else with what this process writes */
  logFile: string | undefined;
}

const MAX_STOP_MS = 5_000;

export function startQueryApiProcess(options: ProcessOptions): QueryApiProcess {
  const { program, clockHook, port, environment, logFile } = options;
  const child = fork(program, {
    execArgv: ['--enable-source-maps', '--require', clockHook],
    env: { ...environment, PORT: String(port), HOST: '127.0.0.1' },
    // Ctrl-C in a terminal reaches this process only, which stops things in order.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const log = logFile === undefined ? process.stderr : createWriteStream(logFile);
  for (const output of [child.stdout, child.stderr]) output?.pipe(log, { end: false });
  let latest = '';
  child.stdout?.on('data', (part: Buffer) => (latest = (latest + part.toString()).slice(-2_000)));
  child.stderr?.on('data', (part: Buffer) => (latest = (latest + part.toString()).slice(-2_000)));
  return {
    ended: () => (hasEnded(child) ? `it ended (${String(child.exitCode ?? child.signalCode)})\n${latest}` : undefined),
    url: `http://127.0.0.1:${String(port)}`,
    setClock: async (aheadMs) => {
      const told = once(child, 'message', { signal: AbortSignal.timeout(5_000) });
      child.send({ aheadMs });
      await told;
    },
    stop: () => stop(child),
  };
}

/** @throws when it ends instead, or is not ready in time */
export async function waitUntilReady({ url, ended }: Pick<QueryApiProcess, 'url' | 'ended'>): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; ) {
    const response = await fetch(`${url}/internal/isready`).catch(() => undefined);
    if (response?.ok) return;
    const failure = ended() ?? (Date.now() > deadline ? 'it is not ready' : undefined);
    if (failure !== undefined) throw new Error(`The query-api did not start: ${failure}`);
    await wait(20);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), MAX_STOP_MS);
  await ended;
  clearTimeout(deadline);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
