import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROT } from '@tiltak/testing';
import { kjoerende, KJOERER_IKKE } from './klar.ts';

interface Konsument {
  navn: string;
  azp: string;
}

/** The consumers of the local registry. */
export function lesKonsumenter(): Konsument[] {
  return parse(readFileSync(join(ROT, 'tools', 'lokal', 'konsumenter.yaml'), 'utf8')) as Konsument[];
}

/**
 * A fresh token for a client id, from the local issuer; on duty with a `rolle`, of an organisation's adapter with `adapter`.
 * It is for the apps of the first organisation, unless it has another `audience`.
 *
 * @throws when the issuer does not answer
 */
export async function hentToken(
  issuer: string,
  azp: string,
  mer: { rolle?: string; adapter?: string; audience?: string } = {},
): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: azp, ...mer });
  // A stack that was killed leaves its address behind.
  const svar = await fetch(`${issuer}/token`, { method: 'POST', body }).catch(() => undefined);
  if (!svar) throw new Error(KJOERER_IKKE);
  const { access_token: token } = (await svar.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`The token issuer answered ${String(svar.status)}.`);
  return token;
}

async function skrivToken(hvem: string | undefined, organisasjon: string | undefined): Promise<string> {
  const konsumenter = lesKonsumenter();
  const azp = konsumenter.find(({ navn }) => navn === hvem)?.azp;
  if (azp === undefined && hvem !== '--drift' && hvem !== '--adapter') {
    const kjente = konsumenter.map(({ navn }) => navn).join(', ');
    throw new Error(
      hvem === undefined
        ? `Usage: npm run token -- <konsument>|--drift|--adapter [organisasjon], where konsument is one of: ${kjente}.`
        : `There is no consumer ${hvem} in tools/lokal/konsumenter.yaml, only: ${kjente}.`,
    );
  }
  const { klar, navn, organisasjon: sin } = kjoerende(organisasjon);
  const { audience } = sin;
  if (azp !== undefined) return hentToken(klar.issuer, azp, { audience });
  if (hvem === '--drift') return hentToken(klar.issuer, 'lokal-vakt', { rolle: 'drift', audience });
  return hentToken(klar.issuer, `adapter-${navn}`, { adapter: navn, audience });
}

if (import.meta.main) {
  try {
    console.log(await skrivToken(process.argv[2], process.argv[3]));
  } catch (feil) {
    console.error(feil instanceof Error ? feil.message : String(feil));
    process.exitCode = 1;
  }
}
