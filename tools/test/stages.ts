import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from '@tiltak/testing';

/** One stage of the test run: a program of this workspace, run by this Node, its output shown as it comes. */
export interface Stage {
  navn: string;
  args: string[];
  env?: Record<string, string>;
}

const tool = (name: string): string => join(ROOT, 'node_modules', '.bin', name);

const FORMAT: Stage = { navn: 'format', args: [tool('prettier'), '--check', '--log-level=warn', '.'] };
const NX = { NX_DAEMON: 'false', NX_TUI: 'false', NX_ISOLATE_PLUGINS: 'false' };
/** Without it lint knows no projects, and passes by the boundaries between them. */
const PROJECTS: Stage = { navn: 'projects', args: [tool('nx'), 'show', 'projects'], env: NX };
const LINT: Stage = { navn: 'lint', args: [tool('eslint'), '.'] };
const TYPES: Stage = { navn: 'types', args: [tool('tsc'), '-p', 'tsconfig.json', '--noEmit'] };

/** What `npm run check` does. */
export const CHECK: Stage[] = [FORMAT, PROJECTS, LINT, TYPES];

/** The apps, for whatever starts them as processes. */
export const BUILD: Stage = {
  navn: 'build',
  args: [tool('nx'), 'run-many', '-t', 'build', '--output-style=static'],
  env: NX,
};

/** What `npm test` does before jest. */
export function beforeJest(): Stage[] {
  const openapi = join(ROOT, 'tools', 'openapi', 'openapi.ts');
  return [
    ...CHECK,
    ...(existsSync(join(ROOT, 'knip.json')) ? [{ navn: 'unused code', args: [tool('knip')] }] : []),
    BUILD,
    ...(existsSync(openapi) ? [{ navn: 'openapi', args: [openapi, '--sjekk'] }] : []),
  ];
}

/** @param resultFile where jest writes what it found, as JSON */
export function jest(resultFile: string, args: readonly string[]): Stage {
  const own = [
    process.env['NODE_OPTIONS'],
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    // kafkajs 2.2.4 sets timers to moments that have passed, which Node 24 remarks on.
    '--disable-warning=TimeoutNegativeWarning',
  ];
  return {
    navn: 'jest',
    args: [tool('jest'), '--json', `--outputFile=${resultFile}`, ...args],
    env: { NODE_OPTIONS: own.filter(Boolean).join(' ') },
  };
}

/** Whether it went well. SIGINT and SIGTERM are passed on, and end this process too when the stage has ended. */
export async function runStage({ navn: name, args, env }: Stage): Promise<boolean> {
  const from = performance.now();
  console.log(`── ${name}`);
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: path, ...env },
  });
  let aborted = false;
  const stop = (signal: NodeJS.Signals): void => {
    aborted = true;
    child.kill(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const code = await new Promise<number | null>((end) => {
    child.once('error', () => end(null));
    child.once('exit', end);
  });
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (aborted) process.exit(130);
  console.log(`── ${name}: ${code === 0 ? 'ok' : 'FAILED'}, ${((performance.now() - from) / 1000).toFixed(1)} s\n`);
  return code === 0;
}
