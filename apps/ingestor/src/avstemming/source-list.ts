import type { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { parseInstant } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';

const ROUTE = '/drift/v1/avstemming';
export const NDJSON = 'application/x-ndjson';
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAX_CHARS_PER_LINE = 1_000;
const LINES_PER_CHUNK = 5_000;

/** Lists come as a stream, on their route and nowhere else. */
export function acceptLists(app: NestFastifyApplication): NestFastifyApplication {
  const server = app.getHttpAdapter().getInstance();
  server.addContentTypeParser(NDJSON, (request, body, done) => {
    if (request.method === 'POST' && request.routeOptions.url === ROUTE) return done(null, body);
    done(new Problem(PROBLEMS.FEIL_MEDIETYPE, 'The body must be application/json'));
  });
  return app;
}

/**
 * The lines of a list as COPY text for (avtale_id, sist_endret), some thousand at a time, so that memory stays flat.
 * @throws Problem 400 with the number of the line and the field, 413 for more than `maxLines` or for one that is endless
 */
export async function* readList(stream: Readable, maxLines: number): AsyncGenerator<string[]> {
  let chunk: string[] = [];
  let lineNumber = 0;
  for await (const line of linesOf(stream)) {
    lineNumber++;
    if (line.trim() === '') continue;
    if (lineNumber > maxLines) {
      throw new Problem(PROBLEMS.FOR_STOR, `The list has more than ${String(maxLines)} lines`);
    }
    chunk.push(parseLine(line, lineNumber));
    if (chunk.length < LINES_PER_CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const text = new TextDecoder();
  let rest = '';
  try {
    // The socket is the caller's way to the answer: a stream that is left half read must not close it.
    for await (const part of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const lines = (rest + text.decode(part, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      // What has no end in sight is refused before it fills the memory.
      if (rest.length > MAX_CHARS_PER_LINE) throw new Problem(PROBLEMS.FOR_STOR, 'A line of the list is too long');
      yield* lines;
    }
    yield rest + text.decode();
  } catch (error) {
    if (!stream.readableAborted) throw error;
    throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The list broke off', { cause: error });
  } finally {
    // Nobody reads the rest, and the answer is only read when all is sent.
    stream.resume();
  }
}

function parseLine(line: string, nummer: number): string {
  if (line.length > MAX_CHARS_PER_LINE) throw new Problem(PROBLEMS.FOR_STOR, `Line ${String(nummer)} is too long`);
  const { avtaleId, sistEndret } = asObject(line, nummer);
  if (typeof avtaleId !== 'string' || !UUID.test(avtaleId)) throw invalidLine(nummer, 'avtaleId', 'must be a UUID');
  const time = typeof sistEndret === 'string' ? parseInstant(sistEndret) : undefined;
  if (time === undefined) throw invalidLine(nummer, 'sistEndret', 'must be a time in UTC, as 2026-01-31T12:00:00Z');
  return `${avtaleId}\t${time}\n`;
}

function asObject(line: string, nummer: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, without the text of the line.
  }
  throw invalidLine(nummer, 'linje', 'must be a JSON object');
}

function invalidLine(nummer: number, field: string, message: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, `Line ${String(nummer)} of the list is not valid`, {
    feil: [{ felt: `${String(nummer)}.${field}`, melding: message }],
  });
}
