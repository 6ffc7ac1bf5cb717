import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { erILive, LOKALT } from '@tiltak/testing';

const FIL = join(LOKALT, 'ready.json');

/** Where the running stack is: what `.local/ready.json` holds, from when everything is ready until it is stopped. */
export interface Klar {
  queryApi: string;
  ingestor: string;
  issuer: string;
  /** host:port */
  kafka: string;
  /** url of the organisation's database, as superuser */
  postgres: string;
  topic: string;
  pids: Record<'start' | 'kafka' | 'postgres' | 'ingestor' | 'queryApi', number>;
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
