import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, LOCAL_DIR } from '@tiltak/testing';
import { WANTED_ISSUER_PORT } from './options.ts';

export const NOT_RUNNING = 'The local stack is not running: start it with npm start.';

/** One organisation's part of the running stack. */
export interface ReadyOrganisasjon {
  queryApi: string;
  ingestor: string;
  /** of the page of auditors, which is a process of its own */
  revisor: string;
  /** url of the organisation's database, as superuser */
  postgres: string;
  topic: string;
  /** of the person register, when the organisation has one */
  identTopic?: string | undefined;
  /** what each change of an avtale is told of on */
  triggerTopic?: string | undefined;
  /** of the tokens that its apps accept */
  audience: string;
  /** of those that the page of auditors accepts */
  auditorAudience: string;
  /** of the first of each */
  pids: Record<'postgres' | 'ingestor' | 'queryApi' | 'revisor', number>;
  /** all that run now; `postgres` is the primary, whichever server that is */
  processes: LocalProcess[];
}

export interface LocalProcess {
  name: 'ingestor' | 'query-api' | 'revisor' | 'postgres' | 'standby' | 'replica';
  /** of the process itself, on 127.0.0.1 */
  port: number;
  pid: number;
}

/**
 * Where the running stack is: what `.local/ready.json` holds, or a file beside it when another stack was first. It is there
 * from when everything is ready until the stack is stopped. What belongs to one organisation is at the top for the first.
 */
export interface Ready extends Omit<ReadyOrganisasjon, 'audience' | 'auditorAudience' | 'pids' | 'processes'> {
  issuer: string;
  /** host:port */
  kafka: string;
  /** where `npm run stack` asks */
  control: string;
  pids: ReadyOrganisasjon['pids'] & Record<'start' | 'kafka', number>;
  /** by name, in the order they were given */
  organisasjoner: Record<string, ReadyOrganisasjon>;
}

/** Of the stack that was first; the others' have the port of their issuer in their names. */
const FIRST = 'ready.json';

/** The file of one stack: another that runs in the same checkout keeps its own. */
export class ReadyFile {
  private own: string | undefined;
  private readonly directory: string;

  constructor(directory = LOCAL_DIR) {
    this.directory = directory;
  }

  /** Appears whole or not at all. */
  write(ready: Ready): void {
    mkdirSync(this.directory, { recursive: true });
    this.own ??= join(this.directory, this.isTaken(ready) ? `ready-${portOf(ready)}.json` : FIRST);
    writeFileSync(`${this.own}.ny`, `${JSON.stringify(ready, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${this.own}.ny`, this.own);
  }

  remove(): void {
    if (this.own !== undefined) rmSync(this.own, { force: true });
  }

  private isTaken({ pids, issuer }: Ready): boolean {
    const first = read(join(this.directory, FIRST));
    // Two can't have the same issuer: then it was left behind, and its process id is somebody else's now.
    return (
      first !== undefined && first.pids.start !== pids.start && first.issuer !== issuer && isAlive(first.pids.start)
    );
  }
}

/** Removes what stacks that were killed could not remove. */
export function removeStale(directory = LOCAL_DIR): void {
  for (const file of allIn(directory)) {
    const pid = read(file)?.pids.start;
    if (pid !== undefined && !isAlive(pid)) rmSync(file, { force: true });
  }
}

/**
 * Of the stack with that issuer's port, when it is given; else of the one that was first, or of the only one there is.
 *
 * @returns undefined when it is not running
 */
export function readReady(issuerPort = WANTED_ISSUER_PORT, directory = LOCAL_DIR): Ready | undefined {
  const files = allIn(directory);
  if (issuerPort) return files.map(read).find((ready) => ready !== undefined && portOf(ready) === issuerPort);
  const first = join(directory, FIRST);
  return read(files.includes(first) || files.length !== 1 ? first : (files[0] ?? first));
}

const allIn = (directory: string): string[] =>
  globSync(`{ready,ready-*}.json`, { cwd: directory }).map((file) => join(directory, file));

const portOf = ({ issuer }: Ready): string => new URL(issuer).port;

function read(file: string): Ready | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ready) : undefined;
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
