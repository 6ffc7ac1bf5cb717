import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What was asked for can't be done, and why. */
export class OptionError extends Error {}

/** Said in a sentence: what is missing would be told by a stack trace. */
export class OldNodeError extends Error {
  readonly startupError = true;
}

/** As the package's `engines`, which npx only warns of. */
const LEAST_NODE = [22, 12] as const;

/** @throws OldNodeError */
export function requireNode(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new OldNodeError(`The sandbox needs Node ${LEAST_NODE.join('.')} or newer; this is Node ${version}`);
}

export interface SandboxOptions {
  port: number;
  host: string;
  /** path of the registry of consumers */
  registry: string;
  /** whether what the query-api logs is shown */
  logs: boolean;
  /** of the package */
  files: { queryApi: string; queryApiRunner: string; document: string };
}

export const USAGE = `Usage: npx @navikt/tiltak-datadeling-sandbox [options]

The query-api of tiltak-datadeling with a database and a token issuer of its own, and a control API, on 127.0.0.1.

  --port <n>             the port of all of it; 3000 unless told, 0: one that is free
  --konsumenter <file>   a registry of consumers of your own, as in production; else the package's konsumenter.yaml
  --logg                 shows what the query-api logs
  --konteiner            listens on all addresses: in a container only, whose port is published on 127.0.0.1
  --help                this text
`;

/**
 * @param directory of the package: the programs lie there
 * @returns undefined when help is asked for
 * @throws OptionError that says what is wrong
 */
export function readOptions(args: string[], directory: string): SandboxOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (positionals.length > 0) throw new OptionError(`${positionals[0] ?? ''} is no option`);
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
  if (!(port <= 65_535)) throw new OptionError('--port must be a number from 0 to 65535');
  const registry = values.konsumenter === undefined ? join(directory, 'konsumenter.yaml') : resolve(values.konsumenter);
  if (!existsSync(registry)) throw new OptionError(`--konsumenter: there is no file ${registry}`);
  return {
    port,
    host: values.konteiner ? '0.0.0.0' : '127.0.0.1',
    registry,
    logs: values.logg,
    files: {
      queryApi: join(directory, 'query-api.cjs'),
      queryApiRunner: join(directory, 'query-api-process.cjs'),
      document: join(directory, 'openapi.json'),
    },
  };
}

interface Given {
  values: { port: string; konsumenter?: string; logg: boolean; konteiner: boolean; help: boolean };
  positionals: string[];
}

function parse(args: string[]): Given {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        port: { type: 'string', default: '3000' },
        konsumenter: { type: 'string' },
        logg: { type: 'boolean', default: false },
        konteiner: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new OptionError((error as Error).message);
  }
}
