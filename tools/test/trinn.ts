import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ROT } from '@tiltak/testing';

/** One stage of the test run: a program of this workspace, run by this Node, its output shown as it comes. */
export interface Trinn {
  navn: string;
  argumenter: string[];
  env?: Record<string, string>;
}

const verktoy = (navn: string): string => join(ROT, 'node_modules', '.bin', navn);

const FORMAT: Trinn = { navn: 'format', argumenter: [verktoy('prettier'), '--check', '--log-level=warn', '.'] };
const NX = { NX_DAEMON: 'false', NX_TUI: 'false', NX_ISOLATE_PLUGINS: 'false' };
/** Without it lint knows no projects, and passes by the boundaries between them. */
const PROSJEKTER: Trinn = { navn: 'projects', argumenter: [verktoy('nx'), 'show', 'projects'], env: NX };
const LINT: Trinn = { navn: 'lint', argumenter: [verktoy('eslint'), '.'] };
const TYPER: Trinn = { navn: 'types', argumenter: [verktoy('tsc'), '-p', 'tsconfig.json', '--noEmit'] };

/** What `npm run check` does. */
export const SJEKK: Trinn[] = [FORMAT, PROSJEKTER, LINT, TYPER];

/** The apps, for whatever starts them as processes. */
export const BYGG: Trinn = {
  navn: 'build',
  argumenter: [verktoy('nx'), 'run-many', '-t', 'build', '--output-style=static'],
  env: NX,
};

/** What `npm test` does before jest. */
export function foerJest(): Trinn[] {
  const openapi = join(ROT, 'tools', 'openapi', 'openapi.ts');
  return [
    ...SJEKK,
    ...(existsSync(join(ROT, 'knip.json')) ? [{ navn: 'unused code', argumenter: [verktoy('knip')] }] : []),
    BYGG,
    ...(existsSync(openapi) ? [{ navn: 'openapi', argumenter: [openapi, '--sjekk'] }] : []),
  ];
}

/** @param resultatfil where jest writes what it found, as JSON */
export function jest(resultatfil: string, argumenter: readonly string[]): Trinn {
  const egne = [
    process.env['NODE_OPTIONS'],
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    // kafkajs 2.2.4 sets timers to moments that have passed, which Node 24 remarks on.
    '--disable-warning=TimeoutNegativeWarning',
  ];
  return {
    navn: 'jest',
    argumenter: [verktoy('jest'), '--json', `--outputFile=${resultatfil}`, ...argumenter],
    env: { NODE_OPTIONS: egne.filter(Boolean).join(' ') },
  };
}

/** Whether it went well. SIGINT and SIGTERM are passed on, and end this process too when the stage has ended. */
export async function kjorTrinn({ navn, argumenter, env }: Trinn): Promise<boolean> {
  const fra = performance.now();
  console.log(`── ${navn}`);
  const sti = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const barn = spawn(process.execPath, argumenter, {
    cwd: ROT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: sti, ...env },
  });
  let avbrutt = false;
  const stopp = (signal: NodeJS.Signals): void => {
    avbrutt = true;
    barn.kill(signal);
  };
  process.on('SIGINT', stopp).on('SIGTERM', stopp);
  const kode = await new Promise<number | null>((slutt) => {
    barn.once('error', () => slutt(null));
    barn.once('exit', slutt);
  });
  process.off('SIGINT', stopp).off('SIGTERM', stopp);
  if (avbrutt) process.exit(130);
  console.log(`── ${navn}: ${kode === 0 ? 'ok' : 'FAILED'}, ${((performance.now() - fra) / 1000).toFixed(1)} s\n`);
  return kode === 0;
}
