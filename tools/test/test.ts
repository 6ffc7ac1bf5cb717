import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { countJest, countTargets, lastLines, type Task } from './count.ts';
import type { Report } from './reporter.ts';

/**
 * `test.ts TARGET … -- ARGUMENT …`: the targets of Nx in every project, side by side, and then one jest with the
 * arguments. A failure hides none that come after it, and the last line counts them all.
 */
const [, , ...args] = process.argv;
const targets = args.slice(0, args.indexOf('--'));
const parts = targets.length > 0 ? [await runTargets()] : [];
parts.push(await runJest(args.slice(targets.length + 1)));
process.exitCode = parts.every(({ failed }) => failed === 0) ? 0 : 1;
console.log(lastLines(parts).join('\n'));

async function runTargets(): Promise<Report> {
  const noted = join(ROOT, '.nx', 'cache', 'run.json');
  rmSync(noted, { force: true });
  const args = [tool('nx'), 'run-many', '--output-style=static', '-t', ...targets];
  const { succeeded } = await run(args, { NX_ISOLATE_PLUGINS: 'false' });
  const { tasks } = existsSync(noted) ? (JSON.parse(readFileSync(noted, 'utf8')) as { tasks: Task[] }) : { tasks: [] };
  return countTargets(targets, tasks, succeeded);
}

async function runJest(args: string[]): Promise<Report> {
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

function tool(name: string): string {
  return join(ROOT, 'node_modules', '.bin', name);
}

/** Runs a program of this workspace with this Node. SIGINT and SIGTERM are passed on, and end this process too. */
async function run(args: string[], env: Record<string, string>): Promise<{ succeeded: boolean; told?: Report }> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(process.execPath, args, {
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
