import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { UnitError, unitOf, type Unit } from './virksomhet.ts';

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
/** Of all answers but files, whole. Of a file it is what goes by without a byte that counts, and that `fetch` itself watches. */
const SLOWEST_MS = 60_000;

/** The register did not do what was asked, however often. */
export class RegisterError extends Error {}

/** The open API of the national register of units, as its public documentation has it. */
export class RegisterApi {
  private readonly url: string;
  private readonly firstPauseMs: number;
  private readonly slowestMs: number;

  /**
   * @param url up to and with `/enhetsregisteret/api`
   * @throws RegisterError for what is no address
   */
  constructor(url: string, firstPauseMs = 500, slowestMs = SLOWEST_MS) {
    if (!/^https?:\/\/[^/]/.test(url)) throw new RegisterError('--register must be an address that begins with http');
    this.url = url.replace(/\/$/, '');
    this.firstPauseMs = firstPauseMs;
    this.slowestMs = slowestMs;
  }

  /** When the file that can be fetched now was made; undefined when it doesn't say. */
  fileTime(kind: UnitKind): Promise<Date | undefined> {
    return this.trying(async () => timeOf(await this.ask(`${kind}/lastned`, { method: 'HEAD' })));
  }

  /** Fetches the file, gzip as it is; there is none of that name before all of it is there. */
  download(kind: UnitKind, file: string): Promise<Date | undefined> {
    return this.trying(async () => {
      const response = await this.ask(`${kind}/lastned`, { isFile: true });
      const { body } = response;
      if (!body) throw new RegisterError('The file is empty');
      await pipeline(Readable.fromWeb(body as ReadableStream<Uint8Array>), createWriteStream(`${file}.part`));
      await rename(`${file}.part`, file);
      return timeOf(response);
    });
  }

  /** What comes from there on, oldest first, a page at most: by id, so that nothing moves while it is read. */
  async updates(kind: UnitKind, from: { oppdateringsid: number } | { dato: string }): Promise<Update[]> {
    const question = new URLSearchParams({ ...stringsOf(from), page: '0', size: String(PAGE_SIZE) });
    const updates = await this.trying(async () => {
      const path = `oppdateringer/${kind}`;
      const page = await readJson(await this.ask(`${path}?${question.toString()}`), path);
      return updatesIn(page, EMBEDDED[kind], path);
    });
    // What lies before is known. A page that comes twice has nothing new, and ends there.
    const first = 'oppdateringsid' in from ? from.oppdateringsid : 0;
    if (updates.length > 0 && updates.every(({ oppdateringsid }) => oppdateringsid < first)) {
      throw new RegisterError(
        `oppdateringer/${kind} answers with what lies before the oppdateringsid that it was asked for`,
      );
    }
    return updates
      .filter(({ oppdateringsid }) => oppdateringsid >= first)
      .sort((a, b) => a.oppdateringsid - b.oppdateringsid);
  }

  /**
   * REMOVED: it may tell nothing of it any more. Undefined: it knows none of that number.
   *
   * @throws RegisterError, and UnitError for what it answers with
   */
  unit(kind: UnitKind, organisasjonsnummer: string): Promise<Unit | 'REMOVED' | undefined> {
    return this.trying(async () => {
      const path = `${kind}/${organisasjonsnummer}`;
      const response = await this.ask(path, { expected: [404, 410] });
      if (response.ok) {
        const unit = unitOf(await readJson(response, path));
        if (unit.organisasjonsnummer === organisasjonsnummer) return unit;
        throw new UnitError('organisasjonsnummer is of another unit');
      }
      await response.body?.cancel();
      return response.status === 410 ? 'REMOVED' : undefined;
    });
  }

  private async ask(path: string, { method = 'GET', expected = [], isFile = false }: Asking = {}): Promise<Response> {
    const signal = isFile ? null : AbortSignal.timeout(this.slowestMs);
    const response = await fetch(`${this.url}/${path}`, { method, signal });
    if (response.ok || expected.includes(response.status)) return response;
    await response.body?.cancel();
    throw new RegisterError(`The register answered ${String(response.status)} to ${withoutQuestion(path)}`);
  }

  /** Also when a connection ends in the middle of an answer. What it says of a unit does not change by asking again. */
  private async trying<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof UnitError) throw error;
        if (attempt === MAX_ATTEMPTS) throw error instanceof RegisterError ? error : notAnswered(error);
        await wait(Math.min(this.firstPauseMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS));
      }
    }
  }
}

interface Asking {
  method?: string;
  expected?: readonly number[];
  isFile?: boolean;
}

function notAnswered(error: unknown): RegisterError {
  const { name, message, cause } = error as Error;
  const why = name === 'TimeoutError' ? 'it took too long' : cause instanceof Error ? cause.message : message;
  return new RegisterError(`The register did not answer, ${String(MAX_ATTEMPTS)} times: ${why}`, { cause: error });
}

async function readJson(response: Response, path: string): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RegisterError(`The register's answer to ${path} is not JSON`);
  }
}

/** @throws RegisterError that names what is wrong: a line that is passed by would be lost for ever */
function updatesIn(page: unknown, name: string, path: string): Update[] {
  const embedded = (page as { _embedded?: Record<string, unknown> } | null)?._embedded;
  const updates = embedded?.[name] ?? (embedded === undefined ? [] : undefined);
  if (!Array.isArray(updates)) throw new RegisterError(`${path}: _embedded.${name} must be a list`);
  for (const [n, update] of (updates as (Partial<Update> | null)[]).entries()) {
    const wrong = wrongIn(update ?? {});
    if (wrong !== undefined) throw new RegisterError(`${path}: ${wrong} of line ${String(n + 1)} can not be read`);
  }
  // In one form, so that they can be compared as text.
  return (updates as Update[]).map((update) => ({ ...update, dato: new Date(update.dato).toISOString() }));
}

function wrongIn({
  oppdateringsid: id,
  dato,
  organisasjonsnummer: number,
  endringstype,
}: Partial<Update>): string | undefined {
  if (!Number.isSafeInteger(id)) return 'oppdateringsid';
  if (typeof dato !== 'string' || Number.isNaN(Date.parse(dato))) return 'dato';
  if (typeof number !== 'string' || !/^[0-9]{9}$/.test(number)) return 'organisasjonsnummer';
  return typeof endringstype === 'string' ? undefined : 'endringstype';
}

const withoutQuestion = (path: string): string => path.split('?')[0] ?? path;

function timeOf(response: Response): Date | undefined {
  const time = Date.parse(response.headers.get('last-modified') ?? '');
  return Number.isNaN(time) ? undefined : new Date(time);
}

function stringsOf(from: { oppdateringsid: number } | { dato: string }): Record<string, string> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, String(value)]));
}
