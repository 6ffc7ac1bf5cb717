import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { TokenBucket } from 'limiter';
import { StartupError } from '@tiltak/platform';
import { parseDocument } from 'yaml';
import { GRANTABLE_FIELDS, type AvtaleField } from '@tiltak/avtale';
import type { Dialect } from '../graphql/schema.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import schema from './konsumenter.schema.json' with { type: 'json' };

/** A purpose that a consumer may look things up for, and what it may see for it. */
export interface Behandlingsgrunnlag {
  id: string;
  lenke: string;
  operasjoner: ReadonlySet<Operation>;
  felter: ReadonlySet<AvtaleField>;
}

export interface Konsument {
  navn: string;
  azp: string;
  behandlingsgrunnlag: Behandlingsgrunnlag[];
  /** of GraphQL */
  dialect: Dialect;
  /** undefined: no quota */
  kvote: { perSekund: number; bucket: TokenBucket } | undefined;
}

/** The consumers by client id, the `azp` of a token. */
export class Konsumenter extends Map<string, Konsument> {}

/** Each line names the place in the file and what is wrong there. */
export class InvalidRegistryError extends StartupError {
  constructor(file: string, errors: string[]) {
    super(errors.map((line) => `${file}: ${line}`).join('\n'));
  }
}

interface RegistryEntry {
  navn: string;
  azp: string;
  behandlingsgrunnlag: {
    id: string;
    lenke: string;
    operasjoner: Operation[] | 'alle';
    felter: AvtaleField[] | 'alle';
  }[];
  graphql?: { som: Dialect };
  kvote?: { perSekund: number; burst: number };
}

/**
 * Reads the registry of consumers, `konsumenter.yaml`.
 *
 * @throws InvalidRegistryError when it can't be read, is not YAML, or is not as `konsumenter.schema.json` says
 */
export function readKonsumenter(file: string): Konsumenter {
  const entries = validate(file, parse(file));
  return new Konsumenter(entries.map((entry) => [entry.azp, toKonsument(entry)]));
}

function parse(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidRegistryError(file, [
      `can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    ]);
  }
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw new InvalidRegistryError(
      file,
      document.errors.map((error) => error.message),
    );
  return document.toJS();
}

function validate(file: string, content: unknown): RegistryEntry[] {
  const validator = new Ajv({ allErrors: true }).compile<RegistryEntry[]>(schema);
  if (!validator(content)) {
    const errors = (validator.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath.slice(1).replaceAll('/', '.') || 'the file'} ${message ?? 'is wrong'}${explain(params)}`,
    );
    throw new InvalidRegistryError(file, errors);
  }
  const errors: string[] = [
    ...duplicates(content.map(({ navn }) => navn)).map((name) => `navn ${name} stands twice`),
    ...duplicates(content.map(({ azp }) => azp)).map((azp) => `azp ${azp} stands twice`),
    ...content.flatMap(({ navn, behandlingsgrunnlag }) =>
      duplicates(behandlingsgrunnlag.map(({ id }) => id)).map(
        (id) => `${navn}: behandlingsgrunnlag ${id} stands twice`,
      ),
    ),
    ...content.flatMap(unknownNames),
  ];
  if (errors.length > 0) throw new InvalidRegistryError(file, errors);
  return content;
}

/** Which operations and fields there are is known by the code, not by the schema. */
function unknownNames({ behandlingsgrunnlag }: RegistryEntry, nr: number): string[] {
  const errors: string[] = [];
  for (const [i, { operasjoner: operations, felter: fields }] of behandlingsgrunnlag.entries()) {
    const place = `${String(nr)}.behandlingsgrunnlag.${String(i)}`;
    for (const name of operations === 'alle' ? [] : operations) {
      if (!(name in OPERATIONS)) errors.push(`${place}.operasjoner: ${name} is not an operation`);
    }
    for (const field of fields === 'alle' ? [] : fields) {
      if (!GRANTABLE_FIELDS.includes(field)) errors.push(`${place}.felter: ${field} is not a field`);
    }
  }
  return errors;
}

function explain(params: Record<string, unknown>): string {
  const [detail] = Object.values(params);
  return typeof detail === 'string' && detail.length < 60 ? ` (${detail})` : '';
}

function duplicates(values: string[]): string[] {
  return [...new Set(values.filter((value, i) => values.indexOf(value) !== i))];
}

function toKonsument({ navn, azp, behandlingsgrunnlag, graphql, kvote: quota }: RegistryEntry): Konsument {
  return {
    navn,
    azp,
    behandlingsgrunnlag: behandlingsgrunnlag.map(({ id, lenke, operasjoner: operations, felter: fields }) => ({
      id,
      lenke,
      operasjoner: new Set(operations === 'alle' ? (Object.keys(OPERATIONS) as Operation[]) : operations),
      felter: new Set(fields === 'alle' ? GRANTABLE_FIELDS : fields),
    })),
    dialect: graphql?.som ?? 'ny',
    kvote: quota && { perSekund: quota.perSekund, bucket: fullBucket(quota) },
  };
}

function fullBucket({ perSekund: perSecond, burst }: { perSekund: number; burst: number }): TokenBucket {
  const bucket = new TokenBucket({ bucketSize: burst, tokensPerInterval: perSecond, interval: 'second' });
  bucket.content = burst;
  return bucket;
}
