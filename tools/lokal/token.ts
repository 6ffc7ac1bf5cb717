import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { LOKALT, ROT } from '@tiltak/testing';

interface Konsument {
  navn: string;
  azp: string;
}

/** The consumers of the local registry. */
export function lesKonsumenter(): Konsument[] {
  return parse(readFileSync(join(ROT, 'tools', 'lokal', 'konsumenter.yaml'), 'utf8')) as Konsument[];
}

/** A fresh token for a client id, from the local issuer. */
export async function hentToken(issuer: string, azp: string): Promise<string> {
  const svar = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: azp }),
  });
  const { access_token: token } = (await svar.json()) as { access_token: string };
  return token;
}

async function skrivToken(navn: string | undefined): Promise<string> {
  const konsumenter = lesKonsumenter();
  const konsument = konsumenter.find((linje) => linje.navn === navn);
  if (!konsument) {
    throw new Error(
      `Usage: npm run token -- <konsument>, one of: ${konsumenter.map((linje) => linje.navn).join(', ')}`,
    );
  }
  const klar = join(LOKALT, 'ready.json');
  if (!existsSync(klar)) throw new Error('The local stack is not running: start it with npm start');
  const { issuer } = JSON.parse(readFileSync(klar, 'utf8')) as { issuer: string };
  return hentToken(issuer, konsument.azp);
}

if (import.meta.main) {
  try {
    console.log(await skrivToken(process.argv[2]));
  } catch (feil) {
    console.error(feil instanceof Error ? feil.message : String(feil));
    process.exit(1);
  }
}
