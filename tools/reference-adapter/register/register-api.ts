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

/** How long is waited for the register, ms. */
export interface Patience {
  /** before it is asked again; twice as long each time, up to the longest */
  firstPause: number;
  longestPause: number;
  /** the most that it may ask for itself, with `Retry-After` */
  longestRetryAfter: number;
  /** of an answer, whole; of a file, what goes by without a byte of it */
  slowest: number;
}

const PATIENCE: Patience = {
  firstPause: 500,
  longestPause: 30_000,
  longestRetryAfter: 300_000,
  slowest: 60_000,
};

/** The register did not do what was asked, however often. */
export class RegisterError extends Error {
  /** how long it asked to be left alone, ms */
  readonly retryAfter: number;

  constructor(message: string, { retryAfter = 0, ...options }: ErrorOptions & { retryAfter?: number } = {}) {
    super(message, options);
    this.retryAfter = retryAfter;
  }
}

/** A file of all units of a kind, as it was fetched. */
export interface Download {
  /** when it was made; undefined when it isn't said */
  made: Date | undefined;
  /** as the register calls it */
  type: string;
}

/** The open API of the national register of units, as its public documentation has it. */
export class RegisterApi {
  private readonly url: string;
  private readonly patience: Patience;

  /**
   * @param url up to and with `/enhetsregisteret/api`
   * @throws RegisterError for what is no address
   */
  constructor(url: string, patience: Partial<Patience> = {}) {
    if (!/^https?:\/\/[^/]/.test(url)) throw new RegisterError('--register must be an address that begins with http');
    this.url = url.replace(/\/$/, '');
    this.patience = { ...PATIENCE, ...patience };
  }

  /** When the file that can be fetched now was made; undefined when it doesn't say. */
  fileTime(kind: UnitKind): Promise<Date | undefined> {
    const path = `${kind}/lastned`;
    return this.trying(path, async () => timeOf(await this.ask(path, { method: 'HEAD' })));
  }

  /** Fetches the file as it is; there is none of that name before all of it is there. */
  download(kind: UnitKind, file: string): Promise<Download> {
    const path = `${kind}/lastned`;
    return this.trying(path, async () => {
      const silence = new Silence(path, this.patience.slowest);
      try {
        const response = await this.ask(path, { signal: silence.signal });
        const { body } = response;
        if (!body) throw new RegisterError(`The register's answer to ${path} is empty`);
        const chunks = Readable.fromWeb(body as ReadableStream<Uint8Array>);
        await pipeline(chunks, (source) => silence.watch(source), createWriteStream(`${file}.part`));
        await rename(`${file}.part`, file);
        return { made: timeOf(response), type: typeOf(response) };
      } catch (error) {
        throw silence.signal.aborted ? silence.signal.reason : error;
      } finally {
        silence.end();
      }
    });
  }

  /** What comes from there on, oldest first, a page at most: by id, so that nothing moves while it is read. */
  async updates(kind: UnitKind, from: { oppdateringsid: number } | { dato: string }): Promise<Update[]> {
    const question = new URLSearchParams({ ...stringsOf(from), page: '0', size: String(PAGE_SIZE) });
    const path = `oppdateringer/${kind}`;
    const updates = await this.trying(path, async () => {
      const page = await readJson(await this.ask(`${path}?${question.toString()}`), path);
      return updatesIn(page, EMBEDDED[kind], path);
    });
    // What lies before is known. A page that comes twice has nothing new, and ends there.
    const first = 'oppdateringsid' in from ? from.oppdateringsid : 0;
    if (updates.length > 0 && updates.every(({ oppdateringsid }) => oppdateringsid < first)) {
      throw new RegisterError(`${path} answers with what lies before the oppdateringsid that it was asked for`);
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
    const path = `${kind}/${organisasjonsnummer}`;
    return this.trying(path, async () => {
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

  private async ask(
    path: string,
    { method = 'GET', expected = [], signal = AbortSignal.timeout(this.patience.slowest) }: Asking = {},
  ): Promise<Response> {
    const response = await fetch(`${this.url}/${path}`, { method, signal });
    if (response.ok || expected.includes(response.status)) return response;
    await response.body?.cancel();
    const retryAfter = Math.min(retryAfterOf(response), this.patience.longestRetryAfter);
    throw new RegisterError(`The register answered ${String(response.status)} to ${withoutQuestion(path)}`, {
      retryAfter,
    });
  }

  /** Also when a connection ends in the middle of an answer. What it says of a unit does not change by asking again. */
  private async trying<T>(path: string, work: () => Promise<T>): Promise<T> {
    const { firstPause, longestPause } = this.patience;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof UnitError) throw error;
        const failure = error instanceof RegisterError ? error : notAnswered(path, error);
        if (attempt === MAX_ATTEMPTS) throw failure;
        await wait(Math.max(Math.min(firstPause * 2 ** (attempt - 1), longestPause), failure.retryAfter));
      }
    }
  }
}

interface Asking {
  method?: string;
  expected?: readonly number[];
  /** how long an answer may take, when it is not as others */
  signal?: AbortSignal;
}

/** Ends what says nothing for too long, however long it takes as a whole. */
class Silence {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(path: string, most: number) {
    this.timer = setTimeout(() => {
      this.controller.abort(new RegisterError(`Nothing more came of ${path} for ${String(most / 1_000)} s`));
    }, most);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  async *watch<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const part of source) {
      this.timer.refresh();
      yield part;
    }
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

function notAnswered(path: string, error: unknown): RegisterError {
  const { name, message, cause } = error as Error;
  const why = name === 'TimeoutError' ? 'it took too long' : cause instanceof Error ? cause.message : message;
  return new RegisterError(`The register did not answer ${path}: ${why}`, { cause: error });
}

async function readJson(response: Response, path: string): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // What the engine says of it quotes the text.
    throw new RegisterError(`The register's answer to ${path} is not JSON; it calls it ${typeOf(response)}`);
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
  // In one form, so that they can be compared as text; and none that is not yet, which nothing would be newer than.
  const now = Date.now();
  return (updates as Update[]).map((update) => ({
    ...update,
    dato: new Date(Math.min(Date.parse(update.dato), now)).toISOString(),
  }));
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

/** Whatever it holds can be told. */
function typeOf(response: Response): string {
  return /^[\w.+/-]{1,100}/.exec(response.headers.get('content-type') ?? '')?.[0] ?? 'nothing';
}

/** ms; 0 when it asks for none. In seconds, or a moment. */
function retryAfterOf(response: Response): number {
  const asked = response.headers.get('retry-after') ?? '';
  const ms = /^\d+$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}

function stringsOf(from: { oppdateringsid: number } | { dato: string }): Record<string, string> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, String(value)]));
}
