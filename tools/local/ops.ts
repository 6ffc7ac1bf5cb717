import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runProgram } from '@tiltak/testing';
import { builtApp } from './apps.ts';
import { readReady, running } from './ready-file.ts';
import { fetchTokenOnDuty } from './token.ts';

type Env = Record<string, string | undefined>;
type AppName = 'ingestor' | 'query-api';

/** What the command is told. */
interface Settings {
  env: Env;
  args: string[];
}

/**
 * `npm run drift -- <command>`, `npm run avstem`: the apps' own commands, as in their images, with the settings of the
 * running local stack where none are given.
 */
const COMMANDS: Record<string, { app: AppName; settings: (args: string[]) => Promise<Settings> }> = {
  oppslag: { app: 'query-api', settings: database },
  innsyn: { app: 'query-api', settings: database },
  arkiv: { app: 'query-api', settings: database },
  analyse: { app: 'query-api', settings: analysis },
  relasjoner: { app: 'ingestor', settings: database },
  rydding: { app: 'ingestor', settings: database },
  avstem: { app: 'ingestor', settings: onDuty },
};

const NO_STACK = 'Start the stack first (npm start), or set DB_*.';

/** DB_*, or those of the local stack's database, as superuser. */
async function database(args: string[]): Promise<Settings> {
  const local = (name: string): string => join(ROOT, 'tools', 'local', name);
  const registry = { KONSUMENTER_FIL: local('konsumenter.yaml'), ANALYSE_FIL: local('analyse.yaml') };
  if (process.env['DB_HOST']) return { env: { ORGANISASJON: 'lokal', ...registry, ...process.env }, args };
  if (!readReady()) throw new Error(NO_STACK);
  const { name, rest } = takeOrganisasjon(args);
  const { navn, organisasjon } = running(name);
  const { hostname, port, pathname, username, password } = new URL(organisasjon.postgres);
  const login = { DB_USERNAME: decodeURIComponent(username), DB_PASSWORD: decodeURIComponent(password) };
  const place = { DB_HOST: hostname, DB_PORT: port, DB_DATABASE: pathname.slice(1) };
  return { env: { ...registry, ...process.env, ORGANISASJON: navn, ...place, ...login }, args: rest };
}

/** The local stack's product, with a key that is worth nothing. */
async function analysis(args: string[]): Promise<Settings> {
  const { env, args: rest } = await database(args);
  return { env: { ANALYSE_NOEKKEL: '0a'.repeat(32), ...env }, args: rest };
}

/** `--ingestor` and TOKEN, or an organisation's ingestor on the local stack, as somebody on duty there. */
async function onDuty(args: string[]): Promise<Settings> {
  if (args.length === 0 || args.some((arg) => /^--ingestor(=|$)/.test(arg))) return { env: process.env, args };
  const { name, rest } = takeOrganisasjon(args);
  const { ready, organisasjon } = running(name);
  const token = await fetchTokenOnDuty(ready.issuer, organisasjon.audience);
  return { env: { ...process.env, TOKEN: token }, args: [...rest, '--ingestor', organisasjon.ingestor] };
}

/** Only the local stack knows of several organisations; the command itself serves one. */
function takeOrganisasjon(args: string[]): { name: string | undefined; rest: string[] } {
  const at = args.findIndex((arg) => /^--organisasjon(=|$)/.test(arg));
  if (at === -1) return { name: undefined, rest: args };
  const [, inline] = args[at]?.split('=') ?? [];
  return { name: inline ?? args[at + 1], rest: args.toSpliced(at, inline === undefined ? 2 : 1) };
}

/** Once, where nobody has built it; the stack builds it each time that it starts. */
async function requireBuilt(app: AppName): Promise<string> {
  const file = builtApp(app);
  if (existsSync(file)) return file;
  console.error(`Building the ${app} …`);
  const nx = join(ROOT, 'node_modules', '.bin', 'nx');
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' };
  const { code, printout } = await runProgram(process.execPath, [nx, 'build', app], { cwd: ROOT, env });
  if (code !== 0) throw new Error(`The ${app} could not be built:\n${printout}`);
  return file;
}

async function run(name = '', given: string[]): Promise<number> {
  const command = COMMANDS[name];
  if (!command) throw new Error(`Usage: npm run drift -- <${Object.keys(COMMANDS).join('|')}> [options]`);
  const forHelp = given.includes('--hjelp');
  const { env, args } = forHelp ? { env: process.env, args: given } : await command.settings(given);
  const program = await requireBuilt(command.app);
  // Files are named from where npm was called.
  const options = { env, stdio: 'inherit', cwd: process.env['INIT_CWD'] ?? process.cwd() } as const;
  const [code] = (await once(spawn(process.execPath, [program, name, ...args], options), 'exit')) as [number | null];
  return code ?? 2;
}

try {
  process.exitCode = await run(process.argv[2], process.argv.slice(3));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
