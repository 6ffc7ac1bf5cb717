import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROT } from '@tiltak/testing';
import { lesKlar, type Klar } from './klar.ts';

interface Konsument {
  navn: string;
  azp: string;
}

/** The consumers of the local registry. */
export function lesKonsumenter(): Konsument[] {
  return parse(readFileSync(join(ROT, 'tools', 'lokal', 'konsumenter.yaml'), 'utf8')) as Konsument[];
}

const KJOERER_IKKE = 'The local stack is not running: start it with npm start.';

/**
 * A fresh token for a client id, from the local issuer; on duty with a `rolle`, of an organisation's adapter with `adapter`.
 *
 * @throws when the issuer does not answer
 */
export async function hentToken(
  issuer: string,
  azp: string,
  mer: { rolle?: string; adapter?: string } = {},
): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: azp, ...mer });
  // A stack that was killed leaves its address behind.
  const svar = await fetch(`${issuer}/token`, { method: 'POST', body }).catch(() => undefined);
  if (!svar) throw new Error(KJOERER_IKKE);
  const { access_token: token } = (await svar.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`The token issuer answered ${String(svar.status)}.`);
  return token;
}

async function skrivToken(navn: string | undefined, organisasjon = 'nav'): Promise<string> {
  if (navn === '--drift') return hentToken(kjoerende().issuer, 'lokal-vakt', { rolle: 'drift' });
  if (navn === '--adapter') return hentToken(kjoerende().issuer, `adapter-${organisasjon}`, { adapter: organisasjon });
  const konsumenter = lesKonsumenter();
  const konsument = konsumenter.find((linje) => linje.navn === navn);
  if (!konsument) {
    const kjente = konsumenter.map((linje) => linje.navn).join(', ');
    throw new Error(
      navn === undefined
        ? `Usage: npm run token -- <konsument>, one of: ${kjente}; npm run token -- --drift; or npm run token -- --adapter <organisasjon>.`
        : `There is no consumer ${navn} in tools/lokal/konsumenter.yaml, only: ${kjente}.`,
    );
  }
  return hentToken(kjoerende().issuer, konsument.azp);
}

function kjoerende(): Klar {
  const klar = lesKlar();
  if (!klar) throw new Error(KJOERER_IKKE);
  return klar;
}

if (import.meta.main) {
  try {
    console.log(await skrivToken(process.argv[2], process.argv[3]));
  } catch (feil) {
    console.error(feil instanceof Error ? feil.message : String(feil));
    process.exitCode = 1;
  }
}
