import type { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { isUuid, parseInstant, parseJsonObject } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';

const ROUTE = '/drift/v1/avstemming';
export const NDJSON = 'application/x-ndjson';
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

function parseLine(line: string, number: number): string {
  if (line.length > MAX_CHARS_PER_LINE) throw new Problem(PROBLEMS.FOR_STOR, `Line ${String(number)} is too long`);
  const object = parseJsonObject(line);
  if (!object) throw invalidLine(number, 'linje', 'must be a JSON object');
  const { avtaleId, sistEndret } = object;
  if (typeof avtaleId !== 'string' || !isUuid(avtaleId)) throw invalidLine(number, 'avtaleId', 'must be a UUID');
  const time = typeof sistEndret === 'string' ? parseInstant(sistEndret) : undefined;
  if (time === undefined) throw invalidLine(number, 'sistEndret', 'must be a time in UTC, as 2026-01-31T12:00:00Z');
  return `${avtaleId}\t${time}\n`;
}

function invalidLine(number: number, field: string, message: string): Problem {
  return new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, `Line ${String(number)} of the list is not valid`, {
    feil: [{ felt: `${String(number)}.${field}`, melding: message }],
  });
}
