import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, LOCAL_DIR } from '@tiltak/testing';

const FILE = join(LOCAL_DIR, 'ready.json');

export const NOT_RUNNING = 'The local stack is not running: start it with npm start.';

/** One organisation's part of the running stack. */
export interface ReadyOrganisasjon {
  queryApi: string;
  ingestor: string;
  /** url of the organisation's database, as superuser */
  postgres: string;
  topic: string;
  /** of the person register, when the organisation has one */
  identTopic?: string | undefined;
  /** what each change of an avtale is told of on */
  triggerTopic?: string | undefined;
  /** of the tokens that its apps accept */
  audience: string;
  /** of the first of each */
  pids: Record<'postgres' | 'ingestor' | 'queryApi', number>;
  /** all that run now; `postgres` is the primary, whichever server that is */
  processes: LocalProcess[];
}

export interface LocalProcess {
  name: 'ingestor' | 'query-api' | 'postgres' | 'standby' | 'replica';
  /** of the process itself, on 127.0.0.1 */
  port: number;
  pid: number;
}

/**
 * Where the running stack is: what `.local/ready.json` holds, from when everything is ready until it is stopped. What
 * belongs to one organisation is at the top for the first of them.
 */
export interface Ready extends Omit<ReadyOrganisasjon, 'audience' | 'pids' | 'processes'> {
  issuer: string;
  /** host:port */
  kafka: string;
  /** where `npm run stack` asks */
  control: string;
  pids: ReadyOrganisasjon['pids'] & Record<'start' | 'kafka', number>;
  /** by name, in the order they were given */
  organisasjoner: Record<string, ReadyOrganisasjon>;
}

/** Appears whole or not at all. */
export function writeReadyFile(ready: Ready): void {
  mkdirSync(LOCAL_DIR, { recursive: true });
  writeFileSync(`${FILE}.ny`, `${JSON.stringify(ready, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${FILE}.ny`, FILE);
}

export function removeReadyFile(): void {
  rmSync(FILE, { force: true });
}

/** Removes what a stack that was killed could not remove. */
export function removeStale(): void {
  const pid = readReady()?.pids.start;
  if (pid !== undefined && !isAlive(pid)) removeReadyFile();
}

/** @returns undefined when the stack is not running */
export function readReady(): Ready | undefined {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Ready) : undefined;
}

/** @throws when the stack is not running, or not with that organisation; the first one when none is named */
export function running(organisasjon?: string): { ready: Ready; navn: string; organisasjon: ReadyOrganisasjon } {
  const ready = readReady();
  if (!ready) throw new Error(NOT_RUNNING);
  const names = Object.keys(ready.organisasjoner);
  const name = organisasjon ?? names[0] ?? '';
  const found = ready.organisasjoner[name];
  if (!found) throw new Error(`The local stack does not run ${name}, only: ${names.join(', ')}.`);
  return { ready, navn: name, organisasjon: found };
}
