import { PROBLEMS, Problem } from '../../problem.ts';
import { invalidRequest } from '../validation.ts';

/** How much JSON a body may hold. A value of two bytes can become a hundred bytes of memory: size alone says little. */
export interface JsonLimits {
  /** objects and lists within each other */
  depth: number;
  /** objects, lists and commas, which is about as many as values; of the body, and with a `list`, of each of its entries, and of all the rest */
  values: number;
  /** members of one object */
  members: number;
  /** A list, which is a member of the body, to be read entry by entry: see `JsonList`. */
  list?: { name: string; entries: number };
}

/** Where a list lies in the bytes of a body. */
export interface ListPlace {
  /** of `[` */
  start: number;
  /** after `]` */
  end: number;
  /** of each entry, and what is around it: begins after the last one's comma */
  entryStarts: number[];
}

/**
 * Counts what is in a body of JSON as it comes in, before any of it becomes values. It doesn't tell whether it is JSON:
 * what is within the limits can be parsed, and the parser tells.
 */
export class JsonScanner {
  /** the next byte to look at */
  private at = 0;
  private inString = false;
  private stringStart = 0;
  private stringEnd = 0;
  private depth = 0;
  private values = 0;
  /** at each depth, the members so far of an object; -1 in a list */
  private readonly members: number[] = [];
  private open: ListPlace | undefined;
  private found: ListPlace | undefined;

  constructor(private readonly limits: JsonLimits) {}

  /** The list that was asked for, when the body held it as a member. */
  get list(): ListPlace | undefined {
    return this.found;
  }

  /** Of the bytes before `end`, those that don't belong to the list. */
  bytesAround(end: number): number {
    if (this.found) return end - (this.found.end - this.found.start);
    return this.open?.start ?? end;
  }

  /**
   * Goes on to `end`. The bytes before it are those of the last call, and more.
   *
   * @throws Problem 400 for what is too deep, 413 for too many values
   */
  scan(bytes: Uint8Array, end: number): void {
    while (this.at < end) {
      if (this.inString) {
        this.skipString(bytes, end);
        continue;
      }
      const byte = bytes[this.at];
      if (byte === QUOTE) {
        this.inString = true;
        this.stringStart = this.at + 1;
      } else if (byte === COMMA) this.next();
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.enter(bytes, byte === OPEN_LIST);
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.leave(byte === CLOSE_LIST);
      this.at++;
    }
  }

  private skipString(bytes: Uint8Array, end: number): void {
    for (; this.at < end; this.at++) {
      const byte = bytes[this.at];
      // What follows may be a quote; it may also be in the next part.
      if (byte === BACKSLASH) this.at++;
      else if (byte === QUOTE) {
        this.inString = false;
        this.stringEnd = this.at++;
        return;
      }
    }
  }

  private enter(bytes: Uint8Array, isList: boolean): void {
    if (isList && this.isWanted(bytes)) this.open = { start: this.at, end: 0, entryStarts: [this.at + 1] };
    this.depth++;
    this.members[this.depth] = isList ? -1 : 0;
    if (this.depth > this.limits.depth) {
      throw invalidRequest([{ felt: 'body', melding: `is nested deeper than ${String(this.limits.depth)}` }]);
    }
    this.count();
  }

  private isWanted(bytes: Uint8Array): boolean {
    const { list } = this.limits;
    if (!list || this.depth !== 1 || this.found || this.members[1] === -1) return false;
    const { stringStart, stringEnd } = this;
    if (stringEnd - stringStart !== list.name.length) return false;
    for (let i = 0; i < list.name.length; i++) if (bytes[stringStart + i] !== list.name.charCodeAt(i)) return false;
    return true;
  }

  private leave(isList: boolean): void {
    this.depth--;
    if (this.depth < 0) throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The body is not JSON');
    if (!this.open || this.depth !== 1) return;
    if (!isList) throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The body is not JSON');
    this.open.end = this.at + 1;
    this.found = this.open;
    this.open = undefined;
    this.values = 0;
  }

  /** A comma: one more of what is around it. */
  private next(): void {
    const { list, members } = this.limits;
    if (this.open && this.depth === 2) {
      this.open.entryStarts.push(this.at + 1);
      if (list && this.open.entryStarts.length > list.entries) throw tooMuch(`entries in ${list.name}`, list.entries);
      this.values = 0;
      return;
    }
    const count = this.members[this.depth] ?? -1;
    if (count >= 0) {
      this.members[this.depth] = count + 1;
      // The first has no comma before it.
      if (count + 2 > members) throw tooMuch('members in an object', members);
    }
    this.count();
  }

  private count(): void {
    if (++this.values > this.limits.values) throw tooMuch('values', this.limits.values);
  }
}

function tooMuch(what: string, most: number): Problem {
  return new Problem(PROBLEMS.FOR_STOR, `The body holds more than ${most.toLocaleString('en')} ${what}`);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
