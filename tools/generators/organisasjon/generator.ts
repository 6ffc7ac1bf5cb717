import type { Tree } from 'nx/src/devkit-exports';
import { parse } from 'yaml';
import {
  auditorPage,
  analysis,
  ingestor,
  apiHost,
  consoleHost,
  EMPTY_COVERAGE,
  EMPTY_PRODUCTS,
  EMPTY_REGISTRIES,
  localEntry,
  migration,
  ingestorApp,
  withOrganisasjoner,
  withRules,
  ENVIRONMENTS,
  queryApi,
  topicManifest,
  NO_ADAPTER,
  type InboundApp,
  triggerTopicManifest,
} from './manifests.ts';
import { isOutside, withOutside, type OutsideAccess, type OutsideOrganisation } from './outside.ts';
import { ownTopic, isOrganisasjonName, NAME_RULE } from './names.ts';

/**
 * `npx nx g organisasjon <navn>`: what an organisation needs on the platform and on the local stack. What stands there
 * already is left as it is, but for the access policies: that of the query-api always follows the registry of consumers, and
 * that of the ingestor the applications of the adapter and the ingestors of all organisations, which its page shows.
 *
 * @throws when the name or the topic can't be used, or a registry can't be read; then nothing is written
 */
export function organisasjon(tree: Tree, options: { navn: string; topic?: string }): void {
  // On the command line a number is a number.
  const name = String(options.navn);
  if (!isOrganisasjonName(name)) throw new Error(`The name of an organisation must be ${NAME_RULE}.`);
  const setup = `tools/local/organisasjoner/${name}.yaml`;
  const topic = chooseTopic(name, options.topic, tree.read(setup, 'utf8'));
  const write = (path: string, content: string): void => {
    if (!tree.exists(path)) tree.write(path, content);
  };
  const products = `nais/${name}/analyse.yaml`;
  write(products, EMPTY_PRODUCTS);
  for (const env of ENVIRONMENTS) {
    const file = (what: string): string => `nais/${name}/${what}-${env}.yaml`;
    write(file('konsumenter'), EMPTY_REGISTRIES[env]);
    write(file('migrering'), migration(name, env));
    if (topic === ownTopic(name)) write(file('topic'), topicManifest(name, env));
    write(file('trigger-topic'), triggerTopicManifest(name, env));
    write(file('ingestor'), ingestor(name, env, topic));
    write(file('query-api'), queryApi(name, env));
    write(file('revisor'), auditorPage(name, env));
    letIn(tree, file('query-api'), listed(tree, file('konsumenter')));
    const api = { name, env, what: 'les', host: apiHost(name, env), path: '/api' } as const;
    letInOutside(tree, file('query-api'), { ...api, organisations: outsideIn(tree, file('konsumenter')) });
    if (topic === ownTopic(name)) {
      write(file('adapter'), NO_ADAPTER(name, env));
      const adapter = { name, env, what: 'adapter', host: consoleHost(name, env), path: '/adapter' } as const;
      letInOutside(tree, file('ingestor'), { ...adapter, organisations: outsideIn(tree, file('adapter')) });
    }
    introduceIngestors(tree, env);
    for (const product of productsIn(tree, products)) write(file(`analyse-${product}`), analysis(name, env, product));
  }
  write(`nais/${name}/dekning.yaml`, EMPTY_COVERAGE);
  write(setup, localEntry(name, topic));
}

/** Each ingestor asks all of them how it goes, itself too, and is let in by them. */
function introduceIngestors(tree: Tree, env: (typeof ENVIRONMENTS)[number]): void {
  const names = tree.children('nais').filter((name) => tree.exists(`nais/${name}/ingestor-${env}.yaml`));
  const ingestors = names.map(ingestorApp);
  for (const name of names) {
    const [file, adapters] = [`nais/${name}/ingestor-${env}.yaml`, `nais/${name}/adapter-${env}.yaml`];
    letIn(tree, file, [...ingestors, ...(tree.exists(adapters) ? listed(tree, adapters) : [])]);
    update(tree, file, (manifest) => withOrganisasjoner(withRules(manifest, 'outbound', ingestors), names, env));
  }
}

/** A product has a job of its own, with its own key; all else of it is validated where it is used, by the query-api. */
function productsIn(tree: Tree, file: string): string[] {
  const products = parse(tree.read(file, 'utf8') ?? '[]') as { produkt?: unknown }[] | null;
  return (products ?? []).flatMap(({ produkt: product }) => (typeof product === 'string' ? [product] : []));
}

/** The access policy of an app follows the list of those who may call it. */
function letIn(tree: Tree, manifestFile: string, apps: readonly InboundApp[]): void {
  update(tree, manifestFile, (manifest) => withRules(manifest, 'inbound', apps));
}

function update(tree: Tree, file: string, change: (manifest: string) => string): void {
  const manifest = tree.read(file, 'utf8') ?? '';
  const updated = change(manifest);
  if (updated !== manifest) tree.write(file, updated);
}

/** @throws when the manifest is of an older form, which has no place for it */
function letInOutside(tree: Tree, file: string, access: OutsideAccess): void {
  const { what, organisations } = access;
  const numbers = new Set(organisations.map(({ organisasjonsnummer }) => organisasjonsnummer));
  if (what === 'adapter' && numbers.size > 1)
    throw new Error(`${file} is of one organisation; its list of adapters names ${[...numbers].join(' and ')}.`);
  update(tree, file, (manifest) => {
    if (numbers.size > 0 && !/^ {2}maskinporten:/m.test(manifest))
      throw new Error(`${file} needs a line "  maskinporten: { enabled: false }" that this can be written in.`);
    return withOutside(manifest, access);
  });
}

const all = (tree: Tree, file: string): InboundApp[] => readApps(file, tree.read(file, 'utf8') ?? '');

/** Applications of the platform. */
const listed = (tree: Tree, file: string): InboundApp[] => all(tree, file).filter((one) => !isOutside(one));

/** Who is not on it. */
const outsideIn = (tree: Tree, file: string): OutsideOrganisation[] => all(tree, file).filter(isOutside);

const TOPIC = /^[a-z0-9][a-z0-9._-]{0,200}$/;

function chooseTopic(name: string, wanted: string | undefined, setup: string | null): string {
  if (wanted !== undefined && !TOPIC.test(wanted)) throw new Error('--topic must be the name of a topic.');
  const { topic } = (setup === null ? {} : parse(setup)) as { topic?: string };
  if (topic !== undefined && wanted !== undefined && wanted !== topic) {
    throw new Error(`${name} has the topic ${topic} already.`);
  }
  return topic ?? wanted ?? ownTopic(name);
}

/** In quotes, or YAML makes a number of them. */
function hasNumbers({ organisasjonsnummer, leverandoerer }: Partial<OutsideOrganisation>): boolean {
  const isNumber = (value: unknown): boolean => typeof value === 'string' && /^\d{9}$/.test(value);
  if (organisasjonsnummer === undefined) return leverandoerer === undefined;
  const suppliers: unknown = leverandoerer ?? [];
  return isNumber(organisasjonsnummer) && Array.isArray(suppliers) && suppliers.every(isNumber);
}

/** The rest of a registry is validated where it is used, by the query-api. */
function readApps(file: string, content: string): InboundApp[] {
  const lines = parse(content) as unknown;
  const isName = (value: unknown): boolean => typeof value === 'string' && /^[a-z][a-z0-9-]{0,62}$/.test(value);
  const isKonsument = (line: unknown): line is InboundApp => {
    const { navn: name, namespace } = (line ?? {}) as Partial<InboundApp>;
    return isName(name) && (namespace === undefined || isName(namespace)) && hasNumbers(line as OutsideOrganisation);
  };
  if (!Array.isArray(lines) || !lines.every(isKonsument)) {
    throw new Error(
      `${file} must be a list, each with navn and perhaps namespace or organisasjonsnummer, as apps/query-api/src/access/konsumenter.schema.json says.`,
    );
  }
  return lines;
}
