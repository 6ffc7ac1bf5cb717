import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LOCAL_DIR, ROOT, runProgram } from '@tiltak/testing';
import { environmentWith } from '../local/options.ts';

/** What is written here, in the languages of the clients. */
export const CLIENTS = join(ROOT, 'tools', 'generator-matrix', 'clients');
/** What is fetched and generated: no run needs it, but the next is quicker with it. */
export const CACHE = join(LOCAL_DIR, 'generator-matrix');

/** A client could not be generated or compiled, or a tool for it is missing: with the end of what was said. */
export class BuildError extends Error {}

/** @returns all that it wrote; @throws BuildError when it did not go well */
export async function run(
  program: string,
  args: string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, printout } = await runProgram(program, args, { cwd, env: environmentWith(env) });
  if (code === 0) return printout;
  const end = printout.trim().split('\n').slice(-30).join('\n');
  const how = code === undefined ? 'is missing, or was ended' : `ended with ${String(code)}`;
  throw new BuildError(`${program} ${how}\n${end}`);
}

/** The jars of a profile of `clients/pom.xml`, as a class path. Fetched by Maven, which keeps them. */
export async function classPath(profile: string): Promise<string> {
  const pom = join(CLIENTS, 'pom.xml');
  return cached(`${profile}-${digest(pom)}.classpath`, async (file) => {
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath';
    await run('mvn', ['-q', '-B', `-P${profile}`, '-f', pom, goal, `-Dmdep.outputFile=${file}`]);
  }).then((file) => readFileSync(file, 'utf8').trim());
}

/** @returns the `bin` of an environment with what `clients/python/requirements.txt` names */
export async function pythonBin(): Promise<string> {
  const requirements = join(CLIENTS, 'python', 'requirements.txt');
  const directory = await cached(`python-${digest(requirements)}`, async (at) => {
    await run('python3', ['-m', 'venv', at]);
    await run(join(at, 'bin', 'python'), ['-m', 'pip', 'install', '-q', '-r', requirements]);
  });
  return join(directory, 'bin');
}

/** @returns a directory with the `node_modules` of `clients/typescript/package.json` */
export async function nodeTools(): Promise<string> {
  const from = join(CLIENTS, 'typescript');
  return cached(`node-${digest(join(from, 'package-lock.json'))}`, async (at) => {
    mkdirSync(at, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) cpSync(join(from, name), join(at, name));
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: at });
  });
}

/**
 * What has been made before under this name, or is made now. Python's environment knows its own path, so it is made in its
 * place; a mark tells that it is whole.
 */
async function cached(name: string, make: (at: string) => Promise<void>): Promise<string> {
  const at = join(CACHE, name);
  const mark = `${at}.whole`;
  if (existsSync(mark) && existsSync(at)) return at;
  rmSync(at, { recursive: true, force: true });
  mkdirSync(CACHE, { recursive: true });
  await make(at);
  mkdirSync(`${mark}.new`, { recursive: true });
  rmSync(mark, { recursive: true, force: true });
  renameSync(`${mark}.new`, mark);
  return at;
}

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 8);
