import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PROBLEMS, Problem } from '../../problem.ts';
import { SharedMemory } from '../../shared-memory.ts';
import { toProblem } from '../to-problem.ts';
import { JsonList } from './json-list.ts';
import { JsonScanner, type JsonLimits, type ListPlace } from './json-scanner.ts';
import { clientOf } from '../../tokens/token.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what the JSON of a route's body may hold, when that isn't `DEFAULT_LIMITS` */
    json?: JsonLimits;
  }
}

/** Deeper than any request is: what walks through it later may be recursive. More values than any look-up names. */
const DEFAULT_LIMITS: JsonLimits = { depth: 32, values: 50_000, members: 1_000 };
/** Of a body without its list. */
const MAX_BYTES_AROUND_LIST = 64 * 1024;
/** Of all bodies that are coming in at a time, three quarters of it of one caller. What comes on top is asked to come again. */
const MAX_BYTES_AT_ONCE = 64 * 1024 * 1024;

/** Bodies are JSON in UTF-8 and nothing else; bytes that aren't UTF-8 would silently become other text. */
export function acceptJsonOnly(server: FastifyInstance, maxBytesAtOnce = MAX_BYTES_AT_ONCE): void {
  // A hook refuses members that every object inherits, and names them.
  const parseText = server.getDefaultJsonParser('ignore', 'ignore');
  const parse = (request: FastifyRequest, text: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      void parseText(request, text, (error, value) => (error ? reject(error) : resolve(value)));
    });
  const coming = new SharedMemory(maxBytesAtOnce);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', async (request: FastifyRequest, payload: Readable) => {
    const limits = request.routeOptions.config.json ?? DEFAULT_LIMITS;
    const scanner = new JsonScanner(limits);
    const bytes = await readBody(request, payload, scanner, coming);
    if (!isUtf8(bytes)) throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The body is not UTF-8');
    const { list: place } = scanner;
    if (!limits.list || !place) return parse(request, bytes.toString('utf8'));
    return withList(await parse(request, around(bytes, place)), limits.list.name, new JsonList(bytes, place));
  });
}

/** The body with an empty list in the place of its long one. */
function around(bytes: Buffer, { start, end }: ListPlace): string {
  return `${bytes.toString('utf8', 0, start)}[]${bytes.toString('utf8', end)}`;
}

function withList(body: unknown, name: string, list: JsonList): unknown {
  const replaced = (body as Record<string, unknown>)[name];
  // A name that stands twice, once in other characters: the last one counts, and that may be another one.
  if (!Array.isArray(replaced) || replaced.length > 0) throw toProblem({ statusCode: 400 });
  return { ...(body as object), [name]: list };
}

/**
 * The bytes of a body, counted as they come. Memory is taken for what has come, not for what is said to come.
 *
 * @param coming what has come of all bodies that are not whole yet
 * @throws Problem 400, 413, or 503 when others take the memory
 */
async function readBody(
  request: FastifyRequest,
  payload: Readable,
  scanner: JsonScanner,
  coming: SharedMemory,
): Promise<Buffer> {
  const { bodyLimit } = request.routeOptions;
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (length > bodyLimit) throw toProblem({ statusCode: 413 });
  const received = new ReceivedBytes(Number.isNaN(length) ? bodyLimit : length);
  const who = request.token ? clientOf(request.token) : '';
  const take = (part: Buffer): void => {
    if (received.length + part.length > bodyLimit) throw toProblem({ statusCode: 413 });
    if (!coming.take(who, part.length)) {
      throw new Problem(PROBLEMS.UTILGJENGELIG, 'Too many bodies are coming in', { retryAfter: 1 });
    }
    received.add(part);
    scanner.scan(received.bytes, received.length);
    const { list } = request.routeOptions.config.json ?? {};
    if (list && scanner.bytesAround(received.length) > MAX_BYTES_AROUND_LIST) throw toProblem({ statusCode: 413 });
  };
  try {
    await takeAll(payload, take);
  } finally {
    coming.giveBack(who, received.length);
  }
  if (!Number.isNaN(length) && length !== received.length) throw toProblem({ statusCode: 400 });
  return received.bytes.subarray(0, received.length);
}

/** What `take` throws ends it; the rest of the stream is not read. */
function takeAll(stream: Readable, take: (part: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      stream.off('data', receive).off('end', complete).off('error', breakOff).off('close', breakOff).pause();
      // Whoever breaks off later is of no concern.
      stream.on('error', () => undefined);
      settle();
    };
    const receive = (part: Buffer): void => {
      try {
        take(part);
      } catch (error) {
        end(() => reject(error as Error));
      }
    };
    const complete = (): void => end(resolve);
    const breakOff = (): void => end(() => reject(toProblem({ statusCode: 400 })));
    stream.on('data', receive).on('end', complete).on('error', breakOff).on('close', breakOff);
  });
}

/** Bytes that come in parts, in one piece. */
class ReceivedBytes {
  length = 0;
  bytes: Buffer = Buffer.alloc(0);

  constructor(private readonly most: number) {}

  add(part: Buffer): void {
    const { length } = this;
    this.length += part.length;
    // As good as always it comes whole.
    if (length === 0 && part.length === this.most) this.bytes = part;
    else {
      if (this.length > this.bytes.length) this.grow();
      part.copy(this.bytes, length);
    }
  }

  private grow(): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.length, Math.min(2 * this.length, this.most)));
    this.bytes.copy(larger);
    this.bytes = larger;
  }
}
