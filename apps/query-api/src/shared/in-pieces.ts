import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Elements of a list that are made and written in one go, while all other requests wait: a millisecond or two. */
const PIECE = 100;

/** A list of an answer that may be long, with its elements yet to be made. */
class Pieces<T> {
  constructor(
    readonly length: number,
    /** some of the elements as JSON, with commas between */
    readonly write: (from: number, to: number) => string,
    /** never set: it tells the compiler what an element is */
    readonly element?: T,
  ) {}
}

/** An answer of type T, as the bytes that it goes out as. */
export class Written<T> {
  constructor(
    readonly bytes: Buffer,
    /** never set: it tells the compiler what was written */
    readonly answer?: T,
  ) {}
}

export type Answer<T> = T | Written<T>;

type InPieces<T> = {
  [Name in keyof T]: T[Name] extends readonly (infer E)[] | undefined ? T[Name] | Pieces<E> : T[Name];
};

export function pieces<Row, T>(rows: readonly Row[], make: (row: Row) => T): Pieces<T> {
  return new Pieces<T>(rows.length, (from, to) =>
    JSON.stringify(rows.slice(from, to).map((row) => make(row))).slice(1, -1),
  );
}

/**
 * Writes an answer, which `addInPieces` sends as JSON. Its long lists are made and written some at a time, with all that
 * waits in between: one answer of a thousand avtaler would else hold up every other request. It is sent as a whole, with
 * its length, so that what fails while it is made is still answered as a problem: to hand over bytes holds up nobody.
 */
export async function inPieces<T extends object>(answer: InPieces<T>): Promise<Written<T>> {
  const parts: Buffer[] = [];
  let text = '';
  let mark = '{';
  for (const [name, value] of Object.entries(answer) as [string, unknown][]) {
    if (value === undefined) continue;
    text += `${mark}${JSON.stringify(name)}:`;
    mark = ',';
    if (!(value instanceof Pieces)) {
      text += JSON.stringify(value);
      continue;
    }
    text += '[';
    for (let at = 0; at < value.length; at += PIECE) {
      if (at > 0) {
        parts.push(Buffer.from(`${text},`));
        text = '';
        await nextTurn();
      }
      text += value.write(at, Math.min(at + PIECE, value.length));
    }
    text += ']';
  }
  parts.push(Buffer.from(`${mark === '{' ? '{' : text}}`));
  const [only, ...more] = parts;
  return new Written<T>(only && more.length === 0 ? only : Buffer.concat(parts));
}

/** Answers with what is written as it stands. */
export function addInPieces(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preSerialization', (_request, reply, payload, done) => {
      if (!(payload instanceof Written)) return done(null, payload);
      reply.serializer((bytes) => bytes as never);
      done(null, payload.bytes);
    });
}
