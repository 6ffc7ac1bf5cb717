import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { countJest } from './count.ts';
import type { Report } from './reporter.ts';

/** One jest with these arguments. */
export async function runJest(args: string[]): Promise<Report> {
  const reporters = ['--reporters=default', `--reporters=${join(import.meta.dirname, 'reporter.ts')}`];
  const nodeOptions = [
    process.env['NODE_OPTIONS'],
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    // kafkajs 2.2.4 sets timers to moments that have passed, which Node 24 remarks on.
    '--disable-warning=TimeoutNegativeWarning',
  ];
  const { told, succeeded } = await run([tool('jest'), ...reporters, ...args], {
    NODE_OPTIONS: nodeOptions.filter(Boolean).join(' '),
  });
  return countJest(told, succeeded);
}

/** A program of this workspace. */
export function tool(name: string): string {
  return join(ROOT, 'node_modules', '.bin', name);
}

/** Runs a program of this workspace with this Node, or another program. SIGINT and SIGTERM are passed on, and end this process too. */
export async function run(
  args: string[],
  env: Record<string, string>,
  program = process.execPath,
): Promise<{ succeeded: boolean; told?: Report }> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: path, ...env },
  });
  let aborted = false;
  const stop = (signal: NodeJS.Signals): void => {
    aborted = true;
    child.kill(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  let told: Report | undefined;
  child.on('message', (message) => (told = message as Report));
  const code = await new Promise<number | null>((end) => {
    child.once('error', () => end(null));
    child.once('close', end);
  });
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (aborted) process.exit(130);
  return { succeeded: code === 0, ...(told && { told }) };
}
