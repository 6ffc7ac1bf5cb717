import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Unit } from './virksomhet.ts';

/** Main units and establishments: each has a file, a feed and an address of its own. */
export const UNIT_KINDS = ['enheter', 'underenheter'] as const;
export type UnitKind = (typeof UNIT_KINDS)[number];

/** A line of the feed. */
export interface Update {
  oppdateringsid: number;
  dato: string;
  organisasjonsnummer: string;
  endringstype: string;
}

const EMBEDDED: Record<UnitKind, string> = { enheter: 'oppdaterteEnheter', underenheter: 'oppdaterteUnderenheter' };
/** The register answers for 10,000 at most of what a question has. */
const PAGE_SIZE = 5_000;
const MAX_ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 30_000;

/** The register did not do what was asked, however often. */
export class RegisterError extends Error {}

/** The open API of the national register of units, as its public documentation has it. */
export class RegisterApi {
  private readonly url: string;
  private readonly firstPauseMs: number;

  /** @param url up to and with `/enhetsregisteret/api` */
  constructor(url: string, firstPauseMs = 500) {
    this.url = url.replace(/\/$/, '');
    this.firstPauseMs = firstPauseMs;
  }

  /** When the file that can be fetched now was made; undefined when it doesn't say. */
  fileTime(kind: UnitKind): Promise<Date | undefined> {
    return this.trying(async () => timeOf(await this.ask(`${kind}/lastned`, 'HEAD')));
  }

  /** Fetches the file, gzip as it is; there is none of that name before all of it is there. */
  download(kind: UnitKind, file: string): Promise<Date | undefined> {
    return this.trying(async () => {
      const response = await this.ask(`${kind}/lastned`);
      const { body } = response;
      if (!body) throw new RegisterError('The file is empty');
      await pipeline(Readable.fromWeb(body as ReadableStream<Uint8Array>), createWriteStream(`${file}.part`));
      await rename(`${file}.part`, file);
      return timeOf(response);
    });
  }

  /** What comes from there on, oldest first, a page at most: by id, so that nothing moves while it is read. */
  updates(kind: UnitKind, from: { oppdateringsid: number } | { dato: string }): Promise<Update[]> {
    const question = new URLSearchParams({ ...stringsOf(from), page: '0', size: String(PAGE_SIZE) });
    return this.trying(async () => {
      const response = await this.ask(`oppdateringer/${kind}?${question.toString()}`);
      const page = (await response.json()) as { _embedded?: Record<string, Update[]> };
      return (page._embedded?.[EMBEDDED[kind]] ?? []).toSorted((a, b) => a.oppdateringsid - b.oppdateringsid);
    });
  }

  /** REMOVED: it may tell nothing of it any more. Undefined: it knows none of that number. */
  unit(kind: UnitKind, organisasjonsnummer: string): Promise<Unit | 'REMOVED' | undefined> {
    return this.trying(async () => {
      const response = await this.ask(`${kind}/${organisasjonsnummer}`, 'GET', [404, 410]);
      if (response.ok) return (await response.json()) as Unit;
      await response.body?.cancel();
      return response.status === 410 ? 'REMOVED' : undefined;
    });
  }

  private async ask(path: string, method = 'GET', expected: readonly number[] = []): Promise<Response> {
    const response = await fetch(`${this.url}/${path}`, { method });
    if (response.ok || expected.includes(response.status)) return response;
    await response.body?.cancel();
    throw new RegisterError(`The register answered ${String(response.status)} to ${path.split('?')[0] ?? path}`);
  }

  /** Also when a connection ends in the middle of an answer. */
  private async trying<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt === MAX_ATTEMPTS) throw error;
        await wait(Math.min(this.firstPauseMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS));
      }
    }
  }
}

function timeOf(response: Response): Date | undefined {
  const time = Date.parse(response.headers.get('last-modified') ?? '');
  return Number.isNaN(time) ? undefined : new Date(time);
}

function stringsOf(from: { oppdateringsid: number } | { dato: string }): Record<string, string> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, String(value)]));
}
