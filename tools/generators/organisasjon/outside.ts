import type { InboundApp } from './manifests.ts';
import { scopeName, scopeOf } from './names.ts';

type Env = 'dev' | 'prod';

/** An organisation outside of Nav, as a registry of consumers or the list of adapters names it. */
export interface OutsideOrganisation extends InboundApp {
  organisasjonsnummer: string;
  leverandoerer?: string[];
}

export const isOutside = (entry: InboundApp): entry is OutsideOrganisation => 'organisasjonsnummer' in entry;

/** What an app lets those outside do, and where they reach it. */
export interface OutsideAccess {
  name: string;
  env: Env;
  what: 'les' | 'adapter';
  /** ingress that the network within has; outside it is the same host on another domain, with this path alone */
  host: string;
  path: string;
  organisations: readonly OutsideOrganisation[];
}

/** Nobody comes from outside until somebody stands in the list: the app takes no tokens of Maskinporten without these. */
export const CLOSED = '  maskinporten: { enabled: false }\n';

/** Before the variables in the manifest, also while there are none. */
export const variablesComment = (name: string): string =>
  `    # Of Maskinporten, while another organisation may come: npx nx g organisasjon ${name} writes them.\n`;

/** The manifest of an app that lets in those organisations by Maskinporten, or nobody. */
export function withOutside(manifest: string, access: OutsideAccess): string {
  const isOpen = access.organisations.length > 0;
  const address = outsideAddress(access);
  const ingress = `    - ${address}\n`;
  return manifest
    .replace(ingress, '')
    .replace(/^( {2}ingresses:\n(?: {4}- .*\n)*)/m, `$1${isOpen ? ingress : ''}`)
    .replace(/^ {2}maskinporten:.*\n(?: {4,}.*\n)*/m, isOpen ? scopeOfManifest(access) : CLOSED)
    .replace(
      /^( {4}# Of Maskinporten, .*\n)(?: {4}- \{ name: MASKINPORTEN_.*\n)*/m,
      `$1${isOpen ? variables(access) : ''}`,
    );
}

const DOMAIN: Record<Env, [within: string, outside: string]> = {
  dev: ['intern.dev.nav.no', 'ekstern.dev.nav.no'],
  prod: ['intern.nav.no', 'nav.no'],
};

function outsideAddress({ host, env, path }: OutsideAccess): string {
  const [within, outside] = DOMAIN[env];
  return `${host.replace(within, outside)}${path}`;
}

function scopeOfManifest({ name, what, organisations }: OutsideAccess): string {
  // Who has a supplier has delegated to it in Altinn.
  const isDelegated = organisations.some(({ leverandoerer }) => leverandoerer !== undefined);
  const consumers = [...new Map(organisations.map((one) => [one.organisasjonsnummer, one])).values()].map(
    ({ organisasjonsnummer, navn }) => `            - { orgno: '${organisasjonsnummer}', name: ${navn} }\n`,
  );
  return `  maskinporten:
    enabled: true
    scopes:
      exposes:
        # ${scopeOf(name, what)}
        - name: ${scopeName(name, what)}
          enabled: true
          product: tiltak
          separator: /
          allowedIntegrations: [maskinporten]
          atMaxAge: 120
${isDelegated ? '          delegationSource: altinn\n' : ''}          consumers:
${consumers.join('')}`;
}

function variables({ name, what, organisations, ...access }: OutsideAccess): string {
  const address = outsideAddress({ name, what, organisations, ...access });
  const [first] = organisations;
  const suppliers = [...new Set(organisations.flatMap(({ leverandoerer = [] }) => leverandoerer))];
  const values = {
    MASKINPORTEN_AUDIENCE: address,
    MASKINPORTEN_SCOPE: scopeOf(name, what),
    ...(what === 'adapter' && { MASKINPORTEN_ORGANISASJONSNUMMER: `'${first?.organisasjonsnummer ?? ''}'` }),
    ...(what === 'adapter' && suppliers.length > 0 && { MASKINPORTEN_LEVERANDOERER: `'${suppliers.join(',')}'` }),
  };
  return Object.entries(values)
    .map(([variable, value]) => `    - { name: ${variable}, value: ${value} }\n`)
    .join('');
}
