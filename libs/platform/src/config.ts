import { statSync } from 'node:fs';
import { isOrganisasjonsnummer } from './organisasjonsnummer.ts';

/** One environment variable: how it is read, what it means, what it is when absent. */
export interface Variable<T> {
  description: string;
  expected: string;
  default: T | undefined;
  optional: boolean;
  /** variables of one group are set together, or not at all */
  group: string | undefined;
  /** no two variables that have the same of this may have the same value */
  apart: string | undefined;
  /** undefined when the text can't be read as this variable */
  read: (text: string) => T | undefined;
}

type Schema = Record<string, Variable<unknown>>;

/** The values of a schema, by the names of its variables. */
export type ConfigOf<S extends Schema> = { [N in keyof S]: S[N] extends Variable<infer T> ? T : never };

interface Options<T> {
  description: string;
  default?: T;
}

type Optional = { optional: true };
type Grouped = { group: string };
type Apart = { apart: string };

/** One line for each variable that is missing or wrong; never a value. */
export class ConfigError extends Error {
  readonly errors: string[];

  constructor(errors: string[]) {
    super(errors.join('\n'));
    this.errors = errors;
  }
}

/** @throws ConfigError naming every variable that is missing or wrong */
export function readEnvironment<S extends Schema>(schema: S, env: NodeJS.ProcessEnv): ConfigOf<S> {
  const errors: string[] = [];
  const values = Object.entries(schema).map(([name, variable]): [string, unknown] => {
    const text = env[name];
    // An empty variable is how many platforms say «not set».
    if (text === undefined || text === '') {
      if (variable.default === undefined && !variable.optional)
        errors.push(`${name} is missing: ${variable.description}`);
      return [name, variable.default];
    }
    const value = variable.read(text);
    if (value === undefined) errors.push(`${name} must be ${variable.expected}: ${variable.description}`);
    return [name, value];
  });
  errors.push(...halfSetGroups(schema, env), ...sharedValues(schema, new Map(values)));
  if (errors.length > 0) throw new ConfigError(errors);
  return Object.fromEntries(values) as ConfigOf<S>;
}

/** Half of what belongs together would be passed over in silence: TLS that was meant to be there, and is not. */
function halfSetGroups(schema: Schema, env: NodeJS.ProcessEnv): string[] {
  const groups = Map.groupBy(
    Object.keys(schema).filter((name) => schema[name]?.group !== undefined),
    (name) => schema[name]?.group,
  );
  return [...groups.values()].flatMap((names) => {
    const { set = [], missing = [] } = Object.groupBy(names, (name) => (env[name] ? 'set' : 'missing'));
    if (set.length === 0) return [];
    return missing.map((name) => `${name} is missing: it is set together with ${set.join(' and ')}`);
  });
}

/** Of one topic for two purposes each message would be read for one of them, and never for the other. */
function sharedValues(schema: Schema, values: ReadonlyMap<string, unknown>): string[] {
  const given = Object.keys(schema).filter(
    (name) => schema[name]?.apart !== undefined && values.get(name) !== undefined,
  );
  const same = Map.groupBy(given, (name) => JSON.stringify([schema[name]?.apart, values.get(name)]));
  return [...same.values()].flatMap((names) =>
    names.length > 1 ? [`${names.join(' and ')} must not be the same`] : [],
  );
}

/** The variables of a schema as a table in Markdown, for the documentation of an app. */
export function toMarkdown(schema: Schema): string {
  const rows = Object.entries(schema).map(([name, { description, expected, default: fallback, optional }]) => {
    const missing = fallback === undefined ? (optional ? 'optional' : '**required**') : `\`${String(fallback)}\``;
    return [`\`${name}\``, description, expected, missing].map((cell) => cell.replaceAll('|', '\\|'));
  });
  return [['Variable', 'Meaning', 'Value', 'Default'], Array.from({ length: 4 }, () => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

function variable<T>(
  options: Options<T> & Partial<Optional & Grouped & Apart>,
  expected: string,
  read: Variable<T>['read'],
): Variable<T> {
  return {
    description: options.description,
    expected,
    default: options.default,
    optional: options.optional ?? false,
    group: options.group,
    apart: options.apart,
    read,
  };
}

type TextOptions = Options<string> & { pattern?: RegExp };

export function text(options: TextOptions & Optional & Partial<Grouped & Apart>): Variable<string | undefined>;
export function text(options: TextOptions & Partial<Apart>): Variable<string>;
export function text(options: TextOptions & Partial<Optional & Grouped & Apart>): Variable<string> {
  const { pattern } = options;
  const expected = pattern ? `text like ${pattern.source}` : 'text';
  return variable(options, expected, (value) => (pattern && !pattern.test(value) ? undefined : value));
}

export function filePath(options: Options<string> & Optional & Partial<Grouped>): Variable<string | undefined>;
export function filePath(options: Options<string>): Variable<string>;
export function filePath(options: Options<string> & Partial<Optional & Grouped>): Variable<string> {
  return variable(options, 'the path of a file that exists', (value) =>
    statSync(value, { throwIfNoEntry: false })?.isFile() ? value : undefined,
  );
}

export function directoryPath(options: Options<string> & Optional): Variable<string | undefined> {
  return variable<string>(options, 'the path of a directory that exists', (value) =>
    statSync(value, { throwIfNoEntry: false })?.isDirectory() ? value : undefined,
  );
}

type IntegerOptions = Options<number> & { min?: number; max?: number };

export function integer(options: IntegerOptions & Optional): Variable<number | undefined>;
export function integer(options: IntegerOptions): Variable<number>;
export function integer(options: IntegerOptions & Partial<Optional>): Variable<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return variable(options, `a whole number from ${String(min)} to ${String(max)}`, (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });
}

export function port(options: Options<number>): Variable<number> {
  return integer({ ...options, min: 0, max: 65_535 });
}

export function url(options: Options<string> & Optional & Partial<Grouped>): Variable<string | undefined>;
export function url(options: Options<string>): Variable<string>;
export function url(options: Options<string> & Partial<Optional & Grouped>): Variable<string> {
  return variable(options, 'a URL, http or https', (value) =>
    URL.canParse(value) && /^https?:/.test(value) ? value : undefined,
  );
}

export function oneOf<const T extends string>(
  values: readonly T[],
  options: Options<NoInfer<T>> & Optional,
): Variable<T | undefined>;
export function oneOf<const T extends string>(values: readonly T[], options: Options<NoInfer<T>>): Variable<T>;
export function oneOf<const T extends string>(
  values: readonly T[],
  options: Options<NoInfer<T>> & Partial<Optional>,
): Variable<T> {
  return variable<T>(options, `one of ${values.join(', ')}`, (text) => values.find((value) => value === text));
}

/** Separated by commas. */
export function list(options: Options<string[]>): Variable<string[]> {
  return variable(options, 'a list separated by commas', (value) => {
    const parts = value.split(',').map((part) => part.trim());
    return parts.every((part) => part !== '') ? parts : undefined;
  });
}

/** One, with its check digit; or several, separated by commas. */
export function organisasjonsnummer(
  options: Options<string> & Optional & Partial<Grouped>,
): Variable<string | undefined> {
  return variable<string>(options, 'an organisation number, whose last digit is the check digit', (value) =>
    isOrganisasjonsnummer(value) ? value : undefined,
  );
}

export function organisasjonsnumre(options: Options<string[]>): Variable<string[]> {
  return variable(options, 'organisation numbers, separated by commas', (value) => {
    const parts = value.split(',').map((part) => part.trim());
    return parts.every(isOrganisasjonsnummer) ? parts : undefined;
  });
}

export interface HostPort {
  host: string;
  /** undefined: the usual one */
  port: number | undefined;
}

const HOST_PORT = /^(?:\[([\da-f:]+)\]|([^\s:/@[\],]+))(?::(\d{1,5}))?$/i;

/** Hosts, each with a port or without, separated by commas; none of them twice. */
export function hosts(options: Options<HostPort[]> & Optional): Variable<HostPort[] | undefined> {
  return variable<HostPort[]>(options, 'hosts, each as host or host:port, separated by commas, none twice', (value) => {
    const parts = value.split(',').map((part) => part.trim());
    const found = parts.flatMap((part) => {
      const [, v6, name = v6, port] = HOST_PORT.exec(part) ?? [];
      const number = port === undefined ? undefined : Number(port);
      const isUsable = name !== undefined && (number === undefined || (number > 0 && number <= 65_535));
      return isUsable ? [{ host: name, port: number }] : [];
    });
    return found.length === parts.length && new Set(parts).size === parts.length ? found : undefined;
  });
}

/** What every app reads. */
export const commonVariables = {
  ORGANISASJON: text({
    description: 'The one organisation that this process serves',
    pattern: /^[a-z][a-z0-9-]{0,30}$/,
  }),
  HOST: text({ description: 'Address to listen on', default: '0.0.0.0' }),
  PORT: port({ description: 'Port to listen on', default: 8080 }),
  HTTP_MINSTE_BYTE_PER_SEKUND: integer({
    description: 'Bytes per second that a body must bring, over 5 s, or the request is refused with 408',
    default: 500,
    max: 1_000_000,
  }),
  HTTP_FORESPORSEL_SEKUNDER: integer({
    description:
      'In which the headers of a request must have come, and from then on its body, or it is refused with 408, s',
    default: 30,
    min: 1,
    max: 600,
  }),
  HTTP_SVAR_STILLE_SEKUNDER: integer({
    description: 'After which a client that takes nothing of its answer is let go, s',
    default: 120,
    min: 1,
    max: 3_600,
  }),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug'], {
    description: 'Least serious level that is logged',
    default: 'info',
  }),
  NEDSTENGING_VENTETID_MS: integer({
    description: 'How long to answer on after SIGTERM, until the platform sends no more requests, ms',
    default: 3_000,
    max: 15_000,
  }),
};

export const databaseVariables = {
  DB_HOST: text({ description: 'Host of Postgres' }),
  DB_PORT: port({ description: 'Port of Postgres', default: 5432 }),
  DB_DATABASE: text({ description: "The organisation's database" }),
  DB_USERNAME: text({ description: 'Database user of this app' }),
  DB_PASSWORD: text({ description: 'Its password' }),
  DB_SSLMODE: oneOf(['disable', 'require', 'verify-ca', 'verify-full'], {
    description: 'TLS to Postgres; when absent verify-full, and disable where DB_HOST is this machine',
    optional: true,
  }),
  DB_SSLROOTCERT: filePath({ description: 'Certificate authority of Postgres', optional: true }),
  DB_SSLCERT: filePath({ description: 'Client certificate', optional: true, group: 'DB_SSL' }),
  DB_SSLKEY: filePath({ description: 'Key of the client certificate', optional: true, group: 'DB_SSL' }),
  DB_POOL_SIZE: integer({ description: 'Connections to Postgres', default: 10, min: 2, max: 100 }),
};

export const entraVariables = {
  AZURE_APP_CLIENT_ID: text({ description: 'Client id of this app, the audience of tokens' }),
  AZURE_OPENID_CONFIG_ISSUER: url({ description: 'Issuer of tokens' }),
  AZURE_OPENID_CONFIG_JWKS_URI: url({ description: 'Where the keys of the issuer are' }),
};

/** For the local stack in containers, where an issuer is another machine than the process: see `requireHttps`. */
export const localIssuerVariables = {
  LOKAL_UTSTEDER: text({
    description:
      'Local stack in containers only: the one host, a name without dots, whose issuers of tokens may be http. A process with an issuer that is https, or on the platform, does not start with it',
    pattern: /^[a-z][a-z0-9-]{0,62}$/,
    optional: true,
  }),
  NAIS_CLUSTER_NAME: text({ description: 'Where it runs, which the platform sets; never locally', optional: true }),
};

const MASKINPORTEN = { optional: true, group: 'MASKINPORTEN' } as const;

/** The second issuer, for those who are not in Nav's Entra ID; without it their tokens are 401. */
export const maskinportenVariables = {
  MASKINPORTEN_ISSUER: url({
    description: 'Issuer of the tokens of other organisations, exactly as they name it; none are taken when absent',
    ...MASKINPORTEN,
  }),
  MASKINPORTEN_JWKS_URI: url({ description: 'Where its keys are', ...MASKINPORTEN }),
  MASKINPORTEN_AUDIENCE: text({
    description: 'What their tokens must be for (`aud`): the `resource` that they ask for them with',
    pattern: /^\S{1,200}$/,
    ...MASKINPORTEN,
  }),
  MASKINPORTEN_SCOPE: text({
    description: 'The one scope that lets them in here',
    pattern: /^[a-z]+:[a-z0-9/:.]+$/,
    ...MASKINPORTEN,
  }),
};
