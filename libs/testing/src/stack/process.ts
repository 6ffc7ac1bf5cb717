import { randomInt } from 'node:crypto';
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import getPort from 'get-port';

/** A process that was started here, and that is stopped here. */
export interface ManagedProcess {
  pid: number;
  /** set when it has ended */
  ended: () => boolean;
  /** how it ended, in words: «exit code 1», «SIGKILL»; undefined while it runs */
  outcome: () => string | undefined;
  /** Resolves when it has ended. */
  done: Promise<void>;
  /** SIGTERM, or the signal given, and SIGKILL if it has not ended in time. */
  stop: (maxMs?: number, signal?: NodeJS.Signals) => Promise<void>;
  /** SIGKILL. */
  kill: () => Promise<void>;
}

/**
 * Starts a program with its output in a file. It gets a process group of its own, so that Ctrl-C in a terminal reaches
 * only the one who started it, who can then stop things in order.
 */
export function startProcess(
  program: string,
  args: string[],
  logFile: string,
  options: Omit<SpawnOptions, 'stdio' | 'detached'> = {},
): ManagedProcess {
  mkdirSync(dirname(logFile), { recursive: true });
  const file = openSync(logFile, 'a');
  const child = spawn(program, args, {
    env: process.env,
    ...options,
    detached: process.platform !== 'win32',
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  guard(child);
  return asProcess(child);
}

/**
 * Ends the child's process group when this process has ended in any way, SIGKILL included: the guard waits for the end of
 * its input, which comes when nobody holds the other end any longer.
 */
function guard(child: ChildProcess): void {
  if (child.pid === undefined || process.platform === 'win32') return;
  const watchdog = spawn('sh', ['-c', 'read -r _; kill -KILL "-$0" 2>/dev/null', String(child.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The guard must not keep this process alive: what it waits for is that it ends.
  watchdog.unref();
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  watchdog.once('error', () => undefined);
  // The child's id may be given to another process from now on.
  child.once('exit', () => {
    watchdog.kill('SIGKILL');
    watchdog.stdin?.destroy();
  });
}

/**
 * Runs a program to its end, in the same way.
 *
 * @returns its exit code and all it wrote; the code is undefined when there is no such program, or it was killed
 */
export async function runProgram(
  program: string,
  args: string[],
  options: Omit<SpawnOptions, 'stdio' | 'detached'> = {},
): Promise<{ code: number | undefined; printout: string }> {
  const child = spawn(program, args, {
    // Named, since under jest process.env is a copy, which children don't get of themselves.
    env: process.env,
    ...options,
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  guard(child);
  let printout = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (printout += part));
  return new Promise((end) => {
    child.once('error', () => end({ code: undefined, printout }));
    child.once('close', (code) => end({ code: code ?? undefined, printout }));
  });
}

function asProcess(child: ChildProcess): ManagedProcess {
  let outcome: string | undefined;
  const done = new Promise<void>((resolve) => {
    const mark = (how: string): void => {
      outcome ??= how;
      resolve();
    };
    child.once('exit', (code, signal) => mark(signal ?? `exit code ${String(code)}`));
    child.once('error', ({ message }) => mark(message));
  });
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    if (outcome === undefined) child.kill(name);
    await done;
  };
  return {
    pid: child.pid ?? -1,
    ended: () => outcome !== undefined,
    outcome: () => outcome,
    done,
    kill: () => signal('SIGKILL'),
    stop: async (maxMs = 30_000, name = 'SIGTERM') => {
      const deadline = setTimeout(() => child.kill('SIGKILL'), maxMs);
      await signal(name);
      clearTimeout(deadline);
    },
  };
}

/** Whether nothing listens on the port of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((response) => {
    const server = createServer();
    server.once('error', () => response(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => response(true)));
  });
}

/**
 * A port of 127.0.0.1 that nobody listens on. Below those that a system gives to outgoing connections: one of these could
 * take it before the one it is meant for does. By chance, since other processes ask for one at the same time.
 */
export function freePort(): Promise<number> {
  return getPort({ host: '127.0.0.1', port: Array.from({ length: 100 }, () => randomInt(20_000, 32_000)) });
}

/** Whether something accepts connections on the port of 127.0.0.1. */
export async function portAnswers(port: number): Promise<boolean> {
  return new Promise((response) => {
    const connection = connect(port, '127.0.0.1');
    connection.once('connect', () => {
      connection.destroy();
      response(true);
    });
    connection.once('error', () => response(false));
  });
}

/**
 * Asks until the answer is neither false nor undefined, and gives that answer.
 *
 * @throws when `maxMs` has passed, saying what was waited for
 */
export async function waitUntil<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  { what, maxMs = 30_000, everyMs = 50 }: { what: string; maxMs?: number; everyMs?: number },
): Promise<T> {
  const deadline = Date.now() + maxMs;
  for (;;) {
    const response = await check();
    if (response !== undefined && response !== false) return response;
    if (Date.now() > deadline) throw new Error(`Waited ${String(maxMs / 1000)} s for ${what}`);
    await wait(everyMs);
  }
}

/** Whether a process has the id. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
