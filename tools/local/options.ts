import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isPortFree, LOCAL_DIR, ROOT } from '@tiltak/testing';
import { isOrganisasjonName, NAME_RULE } from '../generators/organisasjon/names.ts';

/** Said to whoever starts the stack, without a stack trace. */
export class StartError extends Error {}

const COMMON_PORTS = { KAFKA_PORT: 19_092, ISSUER_PORT: 8_090 };
const OWN_PORTS = { POSTGRES_PORT: 15_432, QUERY_API_PORT: 3_000, INGESTOR_PORT: 3_001, REVISOR_PORT: 3_002 };
/** Beyond this a machine of a developer does nothing else. */
const MAX_PROCESSES = 20;
/** Between the ports of an organisation and those of the next. */
const DISTANCE = 10;

/** This program's environment, and what stands here. */
export const environmentWith = (extra: Record<string, string>): NodeJS.ProcessEnv => ({ ...process.env, ...extra });

/** npm runs scripts in the root of the project, whatever directory it was called from. */
export const INVOKED_FROM = process.env['INIT_CWD'] ?? process.cwd();

/** Programs that were compiled before start in less time, as those of the images do. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(LOCAL_DIR, 'compile-cache') };

/** What a started app gets of it, beside its settings. */
export const APP_ENV = { PATH: process.env['PATH'] ?? '', ...COMPILE_CACHE };
export const APP_LOG_LEVEL = process.env['LOG_LEVEL'] ? { LOG_LEVEL: process.env['LOG_LEVEL'] } : {};

/** Ports by the variables that set them. */
type Ports = Record<string, number>;

export interface OrganisasjonOptions {
  name: string;
  ports: Record<'postgres' | 'queryApi' | 'ingestor' | 'revisor', number>;
}

/** How many of what each organisation gets. */
export interface Counts {
  /** behind one address; alone at its own when undefined, which is a shorter way */
  queryApis: number | undefined;
  ingestors: number;
  replica: boolean;
  standby: boolean;
}

export interface StartOptions {
  /** without sample data */
  empty: boolean;
  counts: Counts;
  /** absolute path of what to keep; nothing is kept when undefined */
  data: string | undefined;
  /** at least one */
  organisasjoner: OrganisasjonOptions[];
  ports: Record<keyof typeof COMMON_PORTS, number>;
  /** all of them */
  allPorts: Ports;
}

/** Of which of several stacks a command asks; the one that was first when it is not set. */
export const WANTED_ISSUER_PORT = process.env['ISSUER_PORT'];

/** Those that `nx g organisasjon` has written the local configuration of. */
export function knownOrganisasjoner(): string[] {
  return readdirSync(join(ROOT, 'tools', 'local', 'organisasjoner')).map((file) => basename(file, '.yaml'));
}

/** @throws StartError */
export function parseOptions(args: string[], env = process.env, known = knownOrganisasjoner()): StartOptions {
  const { tom: empty, data, organisasjoner, ...given } = readArguments(args);
  const names = organisasjoner.split(',').map((name) => name.trim());
  if (!names.every(isOrganisasjonName)) throw new StartError(`--organisasjoner: each must be ${NAME_RULE}`);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new StartError(
      `--organisasjoner: there is no organisation ${unknown}, only: ${known.join(', ')}. npx nx g organisasjon ${unknown} makes it.`,
    );
  }
  if (new Set(names).size < names.length) throw new StartError('--organisasjoner: one stands twice');
  const port = (name: string, fallback: number): number => readPort(name, env[name], fallback);
  const ports = {
    KAFKA_PORT: port('KAFKA_PORT', COMMON_PORTS.KAFKA_PORT),
    ISSUER_PORT: port('ISSUER_PORT', COMMON_PORTS.ISSUER_PORT),
  };
  const allPorts: Ports = { ...ports };
  const portsFor = (name: string, nr: number): OrganisasjonOptions['ports'] => {
    const own = (variable: keyof typeof OWN_PORTS): number => {
      const first = port(variable, OWN_PORTS[variable]);
      // The first has the plain variables, and the others follow it unless they are set.
      const own = nr === 0 ? variable : `${variable}_${name.replaceAll('-', '_').toUpperCase()}`;
      return (allPorts[own] = nr === 0 ? first : port(own, first + nr * DISTANCE));
    };
    return {
      postgres: own('POSTGRES_PORT'),
      queryApi: own('QUERY_API_PORT'),
      ingestor: own('INGESTOR_PORT'),
      revisor: own('REVISOR_PORT'),
    };
  };
  return {
    empty,
    counts: {
      queryApis: given['query-api'] === undefined ? undefined : readCount('--query-api', given['query-api']),
      ingestors: readCount('--ingestor', given.ingestor),
      replica: given.replika,
      standby: given.standby,
    },
    // npm runs scripts in the root of the project, whatever directory it was called from.
    data: data === undefined ? undefined : resolve(env['INIT_CWD'] ?? '', data),
    organisasjoner: names.map((name, nr) => ({ name, ports: portsFor(name, nr) })),
    ports,
    allPorts,
  };
}

const OPTIONS = {
  tom: { type: 'boolean', default: false },
  data: { type: 'string' },
  organisasjoner: { type: 'string', default: 'nav' },
  'query-api': { type: 'string' },
  ingestor: { type: 'string', default: '1' },
  replika: { type: 'boolean', default: false },
  standby: { type: 'boolean', default: false },
} as const;

const USAGE =
  'Usage: npm start -- [--tom] [--data DIR] [--organisasjoner NAVN,NAVN…] [--query-api N] [--ingestor N] [--replika] [--standby]';

function readArguments(args: string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'] {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (errors) {
    throw new StartError(`${errors instanceof Error ? errors.message : String(errors)}. ${USAGE}`);
  }
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_PROCESSES)
    throw new StartError(`${name} must be a number of processes, 1 to ${String(MAX_PROCESSES)}`);
  return count;
}

function readPort(name: string, text: string | undefined, fallback: number): number {
  const port = Number(text === undefined || text === '' ? fallback : text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new StartError(`${name} must be a port, 1 to 65535`);
  return port;
}

/** @throws StartError naming the ports that can't be listened on, and the variables that set them */
export async function requireFreePorts(ports: Ports): Promise<void> {
  const errors: string[] = [];
  for (const [name, port] of Object.entries(ports)) {
    const sameAs = Object.entries(ports).find(([other, otherPort]) => otherPort === port && other < name)?.[0];
    if (sameAs !== undefined)
      errors.push(`${sameAs} and ${name} are both ${String(port)}: set one of them to another port.`);
    else if (!(await isPortFree(port))) {
      errors.push(`Port ${String(port)} is taken. Stop what uses it, or set ${name} to another port.`);
    }
  }
  if (errors.length > 0) throw new StartError(errors.join('\n'));
}
