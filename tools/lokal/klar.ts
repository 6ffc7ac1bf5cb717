import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { erILive, LOKALT } from '@tiltak/testing';

const FIL = join(LOKALT, 'ready.json');

export const KJOERER_IKKE = 'The local stack is not running: start it with npm start.';

/** One organisation's part of the running stack. */
export interface KlarOrganisasjon {
  queryApi: string;
  ingestor: string;
  /** url of the organisation's database, as superuser */
  postgres: string;
  topic: string;
  /** of the tokens that its apps accept */
  audience: string;
  pids: Record<'postgres' | 'ingestor' | 'queryApi', number>;
}

/**
 * Where the running stack is: what `.local/ready.json` holds, from when everything is ready until it is stopped. What
 * belongs to one organisation is at the top for the first of them.
 */
export interface Klar extends Omit<KlarOrganisasjon, 'audience' | 'pids'> {
  issuer: string;
  /** host:port */
  kafka: string;
  pids: KlarOrganisasjon['pids'] & Record<'start' | 'kafka', number>;
  /** by name, in the order they were given */
  organisasjoner: Record<string, KlarOrganisasjon>;
}

/** Appears whole or not at all. */
export function skrivKlar(klar: Klar): void {
  mkdirSync(LOKALT, { recursive: true });
  writeFileSync(`${FIL}.ny`, `${JSON.stringify(klar, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${FIL}.ny`, FIL);
}

export function fjernKlar(): void {
  rmSync(FIL, { force: true });
}

/** Removes what a stack that was killed could not remove. */
export function fjernForeldetKlar(): void {
  const pid = lesKlar()?.pids.start;
  if (pid !== undefined && !erILive(pid)) fjernKlar();
}

/** @returns undefined when the stack is not running */
export function lesKlar(): Klar | undefined {
  return existsSync(FIL) ? (JSON.parse(readFileSync(FIL, 'utf8')) as Klar) : undefined;
}

/** @throws when the stack is not running, or not with that organisation; the first one when none is named */
export function kjoerende(organisasjon?: string): { klar: Klar; navn: string; organisasjon: KlarOrganisasjon } {
  const klar = lesKlar();
  if (!klar) throw new Error(KJOERER_IKKE);
  const navnene = Object.keys(klar.organisasjoner);
  const navn = organisasjon ?? navnene[0] ?? '';
  const funnet = klar.organisasjoner[navn];
  if (!funnet) throw new Error(`The local stack does not run ${navn}, only: ${navnene.join(', ')}.`);
  return { klar, navn, organisasjon: funnet };
}
