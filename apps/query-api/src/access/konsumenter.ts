import { readFileSync } from 'node:fs';
import { isOrganisasjonsnummer, StartupError, type Token } from '@tiltak/platform';
import {
  CODE_VALUES,
  GRANTABLE_FIELDS,
  TILTAKSTYPER,
  UKJENT,
  type AvtaleField,
  type Tiltakstype,
} from '@tiltak/avtale';
import type { Dialect } from '../graphql/schema.ts';
import { parseYaml } from '../shared/yaml.ts';
import { fieldsOf, granted } from '../resources/resource.ts';
import { RESOURCES } from '../resources/resources.ts';
import type { GrantedField, KindsHeldTo } from './grant.ts';
import { GRANTABLE_OPERATIONS, NEEDS_NO_GRANT, type Operation } from './operations.ts';
import { Quota } from './quota.ts';
import schema from './konsumenter.schema.json' with { type: 'json' };

/** A purpose that a consumer may look things up for, and what it may see for it. */
export interface Behandlingsgrunnlag {
  id: string;
  lenke: string;
  /** for the persons who are looked up: what for, and by which rule */
  formaal?: string | undefined;
  rettsgrunnlag?: string | undefined;
  operasjoner: ReadonlySet<Operation>;
  /** of avtaler by their names, of other resources as `virksomheter.navn` */
  felter: ReadonlySet<GrantedField>;
  /** the only kinds that it may be told of; undefined: all */
  kinds: KindsHeldTo | undefined;
}

export interface Konsument {
  navn: string;
  /** what people call it */
  visningsnavn?: string | undefined;
  /** client id in Nav's Entra ID; undefined for another organisation */
  azp: string | undefined;
  /** of another organisation, which comes with tokens of Maskinporten */
  organisasjonsnummer: string | undefined;
  /** organisation numbers of the suppliers that may ask on its behalf */
  leverandoerer: ReadonlySet<string>;
  /** version of the terms of use that it has accepted */
  bruksvilkaar: number | undefined;
  behandlingsgrunnlag: Behandlingsgrunnlag[];
  /** of GraphQL */
  dialect: Dialect;
  /** undefined: no quota */
  kvote: Quota | undefined;
}

/** The consumers, by what their tokens name them by: client id, or organisation. No client id is written as an organisation. */
export class Konsumenter extends Map<string, Konsument> {
  /** Who asks by that token: an organisation also when a supplier asks for it that its entry names. */
  of(token: Token | undefined): Konsument | undefined {
    if (!token) return undefined;
    if (token.issuedBy === 'entra') return this.get(token.azp);
    const konsument = this.get(organisationKey(token.consumer));
    const isListed = token.supplier === undefined || konsument?.leverandoerer.has(token.supplier) === true;
    return isListed ? konsument : undefined;
  }

  /** From now on they are those of a newer registry. Who has the same quota as before has used as much of it. */
  replaceWith(newer: Konsumenter): void {
    const before = new Map(this);
    this.clear();
    for (const [key, konsument] of newer) {
      const quota = before.get(key)?.kvote;
      const isSame = quota?.perSecond === konsument.kvote?.perSecond && quota?.burst === konsument.kvote?.burst;
      this.set(key, isSame ? { ...konsument, kvote: quota } : konsument);
    }
  }
}

/** As Maskinporten names it. */
const organisationKey = (organisasjonsnummer: string): string => `0192:${organisasjonsnummer}`;

/** Each line names the place in the file and what is wrong there. */
export class InvalidRegistryError extends StartupError {
  /** @param isUnreadable the file itself, whatever it says */
  constructor(
    file: string,
    errors: string[],
    readonly isUnreadable = false,
  ) {
    super(errors.map((line) => `${file}: ${line}`).join('\n'));
  }
}

interface RegistryEntry {
  navn: string;
  visningsnavn?: string;
  azp?: string;
  organisasjonsnummer?: string;
  leverandoerer?: string[];
  bruksvilkaar?: number;
  behandlingsgrunnlag: {
    id: string;
    lenke: string;
    formaal?: string;
    rettsgrunnlag?: string;
    operasjoner: Operation[] | 'alle';
    felter: AvtaleField[] | 'alle';
    ressurser?: Record<string, { felter: string[] | 'alle' }>;
    utvalg?: { tiltakstyper: Tiltakstype[] };
  }[];
  graphql?: { som: Dialect };
  kvote?: { perSekund: number; burst: number };
}

type Purpose = RegistryEntry['behandlingsgrunnlag'][number];

/**
 * Reads the registry of consumers, `konsumenter.yaml`.
 *
 * @throws InvalidRegistryError when it can't be read, is not YAML, or is not as `konsumenter.schema.json` says
 */
export function readKonsumenter(file: string): Konsumenter {
  return parseKonsumenter(file, readRegistry(file));
}

/** @throws InvalidRegistryError */
export function readRegistry(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new InvalidRegistryError(file, [`can't be read (${reason})`], true);
  }
}

/**
 * @param file that the errors name
 * @throws InvalidRegistryError
 */
export function parseKonsumenter(file: string, text: string): Konsumenter {
  const entries = parseYaml<RegistryEntry[]>(text, schema, (errors) => new InvalidRegistryError(file, errors));
  requireConsistent(file, entries);
  return new Konsumenter(entries.map((entry) => [keyOf(entry), toKonsument(entry)]));
}

/** The schema has it that one of them is there. */
const keyOf = ({ azp, organisasjonsnummer }: RegistryEntry): string =>
  azp ?? organisationKey(organisasjonsnummer ?? '');

/** What a schema can't say. @throws InvalidRegistryError */
function requireConsistent(file: string, content: readonly RegistryEntry[]): void {
  const errors: string[] = [
    ...duplicates(content.map(({ navn }) => navn)).map((name) => `navn ${name} stands twice`),
    ...duplicates(content.flatMap(({ azp = [] }) => azp)).map((azp) => `azp ${azp} stands twice`),
    ...duplicates(content.flatMap(({ organisasjonsnummer = [] }) => organisasjonsnummer)).map(
      (number) => `organisasjonsnummer ${number} stands twice`,
    ),
    ...content.flatMap(wrongNumbers),
    ...content.flatMap(({ navn, behandlingsgrunnlag }) =>
      duplicates(behandlingsgrunnlag.map(({ id }) => id)).map(
        (id) => `${navn}: behandlingsgrunnlag ${id} stands twice`,
      ),
    ),
    ...content.flatMap(unknownNames),
  ];
  if (errors.length > 0) throw new InvalidRegistryError(file, errors);
}

function wrongNumbers({ navn: name, organisasjonsnummer, leverandoerer = [] }: RegistryEntry): string[] {
  if (organisasjonsnummer === undefined) return [];
  const wrong = [organisasjonsnummer, ...leverandoerer].filter((number) => !isOrganisasjonsnummer(number));
  return [
    ...wrong.map((number) => `${name}: ${number} is not an organisation number: its last digit is not the check digit`),
    ...(leverandoerer.includes(organisasjonsnummer) ? [`${name}: it is a supplier of itself`] : []),
  ];
}

/** Which operations and fields there are is known by the code, not by the schema. */
function unknownNames({ behandlingsgrunnlag }: RegistryEntry, nr: number): string[] {
  const errors: string[] = [];
  for (const [
    i,
    { operasjoner: operations, felter: fields, ressurser: resources = {}, utvalg },
  ] of behandlingsgrunnlag.entries()) {
    const place = `${String(nr)}.behandlingsgrunnlag.${String(i)}`;
    for (const name of operations === 'alle' ? [] : operations) {
      if (NEEDS_NO_GRANT.has(name)) errors.push(`${place}.operasjoner: ${name} needs no grant`);
      else if (!GRANTABLE_OPERATIONS.includes(name)) errors.push(`${place}.operasjoner: ${name} is not an operation`);
    }
    for (const field of fields === 'alle' ? [] : fields) {
      if (!GRANTABLE_FIELDS.includes(field)) errors.push(`${place}.felter: ${field} is not a field`);
    }
    errors.push(...unknownResources(resources, `${place}.ressurser`));
    for (const kind of utvalg?.tiltakstyper ?? []) {
      const isKind = kind !== UKJENT && TILTAKSTYPER.includes(kind);
      if (!isKind) errors.push(`${place}.utvalg.tiltakstyper: ${kind} is not a kind of measure`);
    }
  }
  return errors;
}

function unknownResources(resources: NonNullable<Purpose['ressurser']>, place: string): string[] {
  return Object.entries(resources).flatMap(([name, { felter: fields }]) => {
    const found = RESOURCES.find(({ resource }) => resource.name === name);
    if (!found) return [`${place}: ${name} is not a resource`];
    const known = fieldsOf(found);
    return fields === 'alle'
      ? []
      : fields
          .filter((field) => !known.includes(field))
          .map((field) => `${place}.${name}.felter: ${field} is not a field`);
  });
}

/** Nothing of a resource is granted that the purpose does not name. */
function grantedOf(resources: Purpose['ressurser'] = {}): GrantedField[] {
  return RESOURCES.flatMap((read) => {
    const fields = resources[read.resource.name]?.felter ?? [];
    return (fields === 'alle' ? fieldsOf(read) : fields).map((field) => granted(read, field));
  });
}

function duplicates(values: string[]): string[] {
  return [...new Set(values.filter((value, i) => values.indexOf(value) !== i))];
}

function toKonsument({
  navn,
  visningsnavn,
  azp,
  organisasjonsnummer,
  leverandoerer = [],
  bruksvilkaar,
  behandlingsgrunnlag,
  graphql,
  kvote: quota,
}: RegistryEntry): Konsument {
  return {
    navn,
    visningsnavn,
    azp,
    organisasjonsnummer,
    leverandoerer: new Set(leverandoerer),
    bruksvilkaar,
    behandlingsgrunnlag: behandlingsgrunnlag.map(
      ({ operasjoner: operations, felter: fields, ressurser: resources, utvalg, ...purpose }) => ({
        ...purpose,
        operasjoner: new Set(operations === 'alle' ? GRANTABLE_OPERATIONS : operations),
        felter: new Set<GrantedField>([...(fields === 'alle' ? GRANTABLE_FIELDS : fields), ...grantedOf(resources)]),
        kinds: utvalg && {
          published: utvalg.tiltakstyper,
          stored: utvalg.tiltakstyper.map((kind) => CODE_VALUES.tiltakstype.toSource(kind)),
        },
      }),
    ),
    dialect: graphql?.som ?? 'ny',
    kvote: quota && new Quota(quota.perSekund, quota.burst),
  };
}
