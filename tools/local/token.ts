import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { ON_DUTY_NAV_IDENT, ROOT, syntheticNavIdent } from '@tiltak/testing';
import { scopeOf } from '../generators/organisasjon/names.ts';
import { running, NOT_RUNNING } from './ready-file.ts';

/** Somebody else than those on duty. */
const AUDITOR_NAV_IDENT = syntheticNavIdent(2);

interface Konsument {
  navn: string;
  azp?: string;
  /** in the place of azp */
  organisasjonsnummer?: string;
}

/** The consumers of the local registry. */
export function readLocalKonsumenter(): Konsument[] {
  return parse(readFileSync(join(ROOT, 'tools', 'local', 'konsumenter.yaml'), 'utf8')) as Konsument[];
}

/**
 * A fresh token for a client id, from the local issuer: of a person who has logged in with `navIdent` and is
 * on duty or has another `role`, of an organisation's adapter with `adapter`, else of a machine. It is for the apps of the first organisation, unless it has another `audience`.
 *
 * @throws when the issuer does not answer
 */
export async function fetchToken(
  issuer: string,
  azp: string,
  more: { navIdent?: string; role?: string; adapter?: string; audience?: string } = {},
): Promise<string> {
  const { navIdent, role, ...others } = more;
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: azp,
    ...(navIdent && { nav_ident: navIdent }),
    ...(role && { rolle: role }),
    ...others,
  });
  return askFor(`${issuer}/token`, body);
}

/** As Maskinporten gives it to another organisation, or to a supplier that asks on its behalf. @throws as `fetchToken` */
export function fetchMaskinportenToken(
  issuer: string,
  asked: { orgnr: string; scope: string; audience: string; leverandoer?: string | undefined },
): Promise<string> {
  const { leverandoer: supplier, ...others } = asked;
  const body = { grant_type: 'client_credentials', ...others, ...(supplier && { leverandoer: supplier }) };
  return askFor(`${issuer}/maskinporten/token`, new URLSearchParams(body));
}

async function askFor(endpoint: string, body: URLSearchParams): Promise<string> {
  // A stack that was killed leaves its address behind.
  const response = await fetch(endpoint, { method: 'POST', body }).catch(() => undefined);
  if (!response) throw new Error(NOT_RUNNING);
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`The token issuer answered ${String(response.status)}.`);
  return token;
}

/** As somebody on duty has it who has logged in to the organisation's ingestor. */
export function fetchTokenOnDuty(issuer: string, audience: string): Promise<string> {
  return fetchToken(issuer, audience, { navIdent: ON_DUTY_NAV_IDENT, audience });
}

/** As an auditor has it who has logged in to the organisation's page of auditors: being on duty is not enough there. */
export function fetchAuditorToken(issuer: string, audience: string): Promise<string> {
  return fetchToken(issuer, audience, { navIdent: AUDITOR_NAV_IDENT, role: 'revisor', audience });
}

/** Whose token it is that is asked for, instead of a consumer's. */
const PEOPLE_AND_ADAPTERS = ['--drift', '--revisor', '--adapter'];

/** `npm run token -- --maskinporten …`: what stands behind it. */
function outsideToken(args: string[]): Promise<string> {
  const options = { orgnr: { type: 'string' }, scope: { type: 'string' }, leverandoer: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const { ready, navn: name, organisasjon } = running(positionals[0]);
  const first = readLocalKonsumenter().find(({ organisasjonsnummer }) => organisasjonsnummer !== undefined);
  const { orgnr = first?.organisasjonsnummer ?? '', scope = scopeOf(name, 'les'), leverandoer } = values;
  return fetchMaskinportenToken(ready.issuer, { orgnr, scope, leverandoer, audience: organisasjon.audience });
}

async function tokenFor(who: string | undefined, organisasjon: string | undefined): Promise<string> {
  const konsumenter = readLocalKonsumenter();
  const { azp, organisasjonsnummer: orgnr } = konsumenter.find(({ navn: name }) => name === who) ?? {};
  if (azp === undefined && orgnr === undefined && !PEOPLE_AND_ADAPTERS.includes(who ?? '')) {
    const known = konsumenter.map(({ navn: name }) => name).join(', ');
    throw new Error(
      who === undefined
        ? `Usage: npm run token -- <konsument>|--drift|--revisor|--adapter [organisasjon], or --maskinporten [--orgnr NR] [--scope SCOPE] [--leverandoer NR] [organisasjon], where konsument is one of: ${known}.`
        : `There is no consumer ${who} in tools/local/konsumenter.yaml, only: ${known}.`,
    );
  }
  const { ready, navn: name, organisasjon: own } = running(organisasjon);
  const { audience } = own;
  if (azp !== undefined) return fetchToken(ready.issuer, azp, { audience });
  if (orgnr !== undefined)
    return fetchMaskinportenToken(ready.issuer, { orgnr, scope: scopeOf(name, 'les'), audience });
  if (who === '--drift') return fetchTokenOnDuty(ready.issuer, audience);
  if (who === '--revisor') return fetchAuditorToken(ready.issuer, own.auditorAudience);
  return fetchToken(ready.issuer, `adapter-${name}`, { adapter: name, audience });
}

if (import.meta.main) {
  try {
    const [who, ...rest] = process.argv.slice(2);
    console.log(await (who === '--maskinporten' ? outsideToken(rest) : tokenFor(who, rest[0])));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
