import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { ToQueryApi } from './query-api-process.ts';

/** The product's query-api, as it is built, in a process of its own. */
export interface QueryApiProcess {
  /** Runs the program, which listens on the port of 127.0.0.1. @throws when it ends instead, or is not ready in time */
  begin: (program: string, port: number, environment: Record<string, string>) => Promise<void>;
  /** From now on its clock is so far ahead of this machine's; behind, when negative. */
  setClock: (aheadMs: number) => Promise<void>;
  stop: () => Promise<void>;
}

const MAX_START_MS = 60_000;
const MAX_STOP_MS = 5_000;

/**
 * A process that gets ready to run it.
 *
 * @param runner the program of `query-api-process.ts`
 * @param showsLog whether what it writes is shown
 */
export function createQueryApiProcess(runner: string, showsLog: boolean): QueryApiProcess {
  const child = fork(runner, {
    // Deaf to the environment here: a setting of somebody's own is not for this one.
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    execArgv: ['--enable-source-maps'],
    // Ctrl-C in a terminal reaches this process only, which stops things in order.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let latest = '';
  for (const output of [child.stdout, child.stderr]) {
    output?.on('data', (part: Buffer) => {
      latest = (latest + part.toString()).slice(-2_000);
      if (showsLog) process.stderr.write(part);
    });
  }
  // How it ended says more.
  child.on('error', () => undefined);
  const tell = (message: ToQueryApi): void => void child.send(message, () => undefined);
  return {
    begin: async (program, port, environment) => {
      tell({ program, environment: { ...environment, HOST: '127.0.0.1', PORT: String(port) } });
      await waitUntilReady(port, () => (hasEnded(child) ? `it ended\n${latest}` : undefined));
    },
    setClock: async (aheadMs) => {
      const told = once(child, 'message', { signal: AbortSignal.timeout(5_000) });
      tell({ aheadMs });
      await told;
    },
    stop: () => stop(child),
  };
}

async function waitUntilReady(port: number, failure: () => string | undefined): Promise<void> {
  for (const deadline = performance.now() + MAX_START_MS; ;) {
    const response = await fetch(`http://127.0.0.1:${String(port)}/internal/isready`).catch(() => undefined);
    if (response?.ok) return;
    const why = failure() ?? (performance.now() > deadline ? 'it is not ready' : undefined);
    if (why !== undefined) throw new Error(`The query-api did not start: ${why}`);
    await wait(50);
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
