import { PROBLEMS, Problem } from '../../problem.ts';
import type { ListPlace } from './json-scanner.ts';

/**
 * A long list of a body, whose entries become values one at a time: what a reader doesn't keep of an entry is gone before
 * the next one. Can be read once.
 */
export class JsonList {
  // What walks through a body sees nothing inside.
  #bytes: Buffer | undefined;
  readonly #place: ListPlace;
  readonly length: number;

  constructor(bytes: Buffer, place: ListPlace) {
    this.#bytes = bytes;
    this.#place = place;
    const { start, end, entryStarts } = place;
    const isEmpty = entryStarts.length === 1 && bytes.toString('latin1', start + 1, end - 1).trim() === '';
    this.length = isEmpty ? 0 : entryStarts.length;
  }

  /** @throws Problem 400 at an entry that is not JSON */
  *entries(): Generator<[index: number, entry: unknown]> {
    const bytes = this.#bytes;
    if (!bytes) throw new Error('The list has been read already');
    const { end, entryStarts } = this.#place;
    for (let index = 0; index < this.length; index++) {
      const entryEnd = (entryStarts[index + 1] ?? end) - 1;
      yield [index, parseEntry(bytes.toString('utf8', entryStarts[index], entryEnd))];
    }
    this.#bytes = undefined;
  }
}

function parseEntry(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request can not be read: is the body valid JSON?');
  }
}
