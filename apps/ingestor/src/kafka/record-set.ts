import { DELETE_BEFORE } from '@tiltak/avtale';
import type { RawMessage } from './batch.ts';
import { inflate, UndecodableError } from './codecs.ts';
import { crc32c } from './crc32c.ts';

/** A transaction that came to nothing: what its producer wrote in it, from `firstOffset` to its abort marker, is not read. */
export interface AbortedTransaction {
  producerId: bigint;
  firstOffset: number;
}

/** A batch of records, as a producer wrote it, that can't be read. */
export interface UndecodableBatch {
  /** the first offset of it that has not been read */
  first: number;
  last: number;
  /** in words that hold nothing of the batch */
  reason: string;
  /** the whole batch as it lies on the topic */
  bytes: Buffer;
}

/** What is read of a set at a time. It is the caller's to move on with `advance`, when it has been stored. */
export interface Piece {
  messages: RawMessage[];
  /** the position after it: past what is no message too, as control records and what was aborted or compacted away */
  next: number;
  /** alone in its piece */
  undecodable?: UndecodableBatch;
  cursor: Cursor;
}

/** How much one piece may hold; what is taken is subtracted. A message that is larger comes alone. */
export interface Room {
  bytes: number;
  messages: number;
}

interface Cursor {
  /** of the batch that comes next, in the bytes */
  at: number;
  /** how many of its records have been read */
  given: number;
  /** how many aborted transactions have begun */
  begun: number;
  /** producers that are within one */
  aborted: ReadonlySet<bigint>;
}

/** Of a batch of version 2, in bytes from its start: https://kafka.apache.org/documentation/#recordbatch */
const LENGTH = 8;
const MAGIC = 16;
const CHECKSUM = 17;
const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const FIRST_TIMESTAMP = 27;
const MAX_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const COUNT = 57;
const RECORDS = 61;
/** What its length does not count. */
const BEFORE_LENGTH_ENDS = 12;
/** Also of the formats from before version 2. */
const SMALLEST = 14;

const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** Type 0 in version 0; a commit is of type 1. */
const ABORT_MARKER = Buffer.from([0, 0, 0, 0]);

interface Batch {
  start: number;
  end: number;
  first: number;
  last: number;
}

/**
 * What a broker gave of a partition: whole batches of records, as they lie there. They are inflated and read piece by
 * piece when somebody takes them, so that what waits takes no more memory than what was sent, and one batch, however
 * many records it holds, is more than one transaction.
 */
export class RecordSet {
  /** the position after all of it; 0 when there is no whole batch */
  readonly next: number;
  private readonly end: number;
  private cursor: Cursor = { at: 0, given: 0, begun: 0, aborted: new Set() };
  private readonly transactions: readonly AbortedTransaction[];

  constructor(
    private readonly records: Buffer,
    aborted: readonly AbortedTransaction[],
    /** the partition's end when this was fetched */
    readonly endOffset: number,
  ) {
    this.transactions = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
    let [next, at] = [0, 0];
    // A broker cuts the last one off where the answer is full.
    for (let batch = this.batchAt(at); batch && batch.end <= records.length; batch = this.batchAt(at)) {
      next = Math.max(next, batch.last + 1);
      at = batch.end;
    }
    this.next = next;
    this.end = at;
  }

  get bytes(): number {
    return this.records.length;
  }

  get isRead(): boolean {
    return this.cursor.at >= this.end;
  }

  /** Of bytes that hold nothing else: the answer of a fetch is not kept for what is a small part of it. */
  compact(): RecordSet {
    return new RecordSet(Buffer.from(this.records.subarray(0, this.end)), this.transactions, this.endOffset);
  }

  advance({ cursor }: Piece): void {
    this.cursor = cursor;
  }

  /** What comes next, from `from` on. Never throws: what can't be read is told of, when all before it has been taken. */
  take(from: number, room: Room): Piece {
    const piece: Piece = { messages: [], next: from, cursor: this.cursor };
    while (piece.cursor.at < this.end && room.bytes > 0 && room.messages > 0) {
      const batch = this.batchAt(piece.cursor.at);
      if (!batch) break;
      try {
        if (!this.takeBatch(batch, from, room, piece)) break;
      } catch (error) {
        if (!(error instanceof UndecodableError)) throw error;
        if (piece.next > from || piece.messages.length > 0) break;
        piece.undecodable = {
          first: Math.max(from, batch.first),
          last: batch.last,
          reason: error.message,
          bytes: this.records.subarray(batch.start, batch.end),
        };
        piece.next = Math.max(from, batch.last + 1);
        piece.cursor = { ...piece.cursor, at: batch.end, given: 0 };
        break;
      }
    }
    return piece;
  }

  /** @returns whether all of the batch was taken */
  private takeBatch(batch: Batch, from: number, room: Room, piece: Piece): boolean {
    const { given } = piece.cursor;
    const header = readHeader(this.records, batch, given === 0);
    const { begun, aborted } = this.abortedIn(batch, header, piece.cursor);
    const isRead =
      !header.isControl && !(header.isTransactional && aborted.has(header.producerId)) && batch.last >= from;
    if (isRead) {
      const read = readRecords(header, given, room);
      for (const message of read.messages) if (message.offset >= from) piece.messages.push(message);
      if (given + read.count < header.count) {
        piece.next = Math.max(from, (read.messages.at(-1)?.offset ?? from - 1) + 1);
        piece.cursor = { at: batch.start, given: given + read.count, begun, aborted };
        return false;
      }
    }
    piece.next = Math.max(piece.next, batch.last + 1);
    piece.cursor = { at: batch.end, given: 0, begun, aborted };
    return true;
  }

  /** Which producers are within an aborted transaction, in this batch and after it. */
  private abortedIn({ last }: Batch, header: Header, cursor: Cursor): Pick<Cursor, 'begun' | 'aborted'> {
    let { begun, aborted } = cursor;
    for (let next = this.transactions[begun]; next && next.firstOffset <= last; next = this.transactions[begun]) {
      begun++;
      aborted = new Set([...aborted, next.producerId]);
    }
    if (header.isControl && aborted.has(header.producerId)) {
      const [marker] = readRecords(header, 0, { bytes: 1, messages: 1 }).messages;
      if (marker?.key?.equals(ABORT_MARKER)) aborted = new Set([...aborted].filter((id) => id !== header.producerId));
    }
    return { begun, aborted };
  }

  /** Undefined when not even its length is there. One whose length can't be takes all that is left. */
  private batchAt(start: number): Batch | undefined {
    const { records } = this;
    if (start + BEFORE_LENGTH_ENDS + SMALLEST > records.length) return undefined;
    const first = Number(records.readBigInt64BE(start));
    const length = records.readInt32BE(start + LENGTH);
    if (length < SMALLEST) return { start, end: records.length, first, last: first };
    const hasDelta = records[start + MAGIC] === 2 && start + LAST_OFFSET_DELTA + 4 <= records.length;
    const last = first + (hasDelta ? records.readInt32BE(start + LAST_OFFSET_DELTA) : 0);
    return { start, end: start + BEFORE_LENGTH_ENDS + length, first, last: Math.max(first, last) };
  }
}

/** The bytes of a batch, to be read alone: one that was set aside. @throws UndecodableError */
export function readBatch(bytes: Buffer): RawMessage[] {
  const set = new RecordSet(bytes, [], 0);
  const { messages, undecodable } = set.take(0, { bytes: Number.MAX_SAFE_INTEGER, messages: Number.MAX_SAFE_INTEGER });
  if (undecodable) throw new UndecodableError(undecodable.reason);
  return messages;
}

interface Header {
  first: number;
  count: number;
  codec: number;
  isTransactional: boolean;
  isControl: boolean;
  producerId: bigint;
  firstTimestamp: number;
  /** of all records, when the broker sets it */
  appendTime: number | undefined;
  /** compressed, when there is a codec */
  records: Buffer;
}

/** @throws UndecodableError */
function readHeader(records: Buffer, { start, end, first }: Batch, check: boolean): Header {
  if (records[start + MAGIC] !== 2)
    throw new UndecodableError('the batch has a format from before Kafka 0.11, or none');
  if (start + RECORDS > end || end > records.length) throw new UndecodableError('the batch ends within its header');
  const batch = records.subarray(start, end);
  if (check && batch.readUInt32BE(CHECKSUM) !== crc32c(batch.subarray(ATTRIBUTES))) {
    throw new UndecodableError('the checksum of the batch is wrong');
  }
  const attributes = batch.readInt16BE(ATTRIBUTES);
  const count = batch.readInt32BE(COUNT);
  if (count < 0) throw new UndecodableError('the batch says that it has fewer records than none');
  return {
    first,
    count,
    codec: attributes & CODEC_MASK,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    producerId: batch.readBigInt64BE(PRODUCER_ID),
    firstTimestamp: Number(batch.readBigInt64BE(FIRST_TIMESTAMP)),
    appendTime: attributes & LOG_APPEND_TIME ? Number(batch.readBigInt64BE(MAX_TIMESTAMP)) : undefined,
    records: batch.subarray(RECORDS),
  };
}

/**
 * From the record after the first `given`, as many as there is room for, and one at least.
 *
 * @throws UndecodableError
 */
function readRecords(header: Header, given: number, room: Room): { messages: RawMessage[]; count: number } {
  const records = header.codec === 0 ? header.records : inflate(header.codec, header.records);
  const walk = new Reader(records);
  for (let n = 0; n < given; n++) walk.skip(walk.varint());
  const start = walk.at;
  let count = 0;
  for (; given + count < header.count && room.messages > 0 && room.bytes > 0; count++) {
    const length = walk.varint();
    walk.skip(length);
    room.messages--;
    room.bytes -= length;
  }
  // What a batch inflates to is not kept for the part of it that is.
  const isSmallPart = header.codec !== 0 && records.length > 2 * (walk.at - start);
  const part = records.subarray(start, walk.at);
  const reader = new Reader(isSmallPart ? Buffer.from(part) : part);
  return { count, messages: Array.from({ length: count }, () => readRecord(reader, header)) };
}

function readRecord(reader: Reader, { first, firstTimestamp, appendTime }: Header): RawMessage {
  const length = reader.varint();
  const end = reader.at + length;
  reader.skip(1);
  const timestampDelta = reader.varint();
  const timestamp = appendTime ?? firstTimestamp + timestampDelta;
  const offset = first + reader.varint();
  const key = reader.bytes();
  const value = reader.bytes();
  const message: RawMessage = { offset, key, value };
  if (timestamp >= 0 && timestamp < END_OF_TIME) message.writtenAt = timestamp;
  const deleteBefore = readDeleteBefore(reader);
  if (deleteBefore !== undefined) message.deleteBefore = deleteBefore;
  if (reader.at !== end) throw new UndecodableError('a record of the batch is not as long as it says');
  return message;
}

/** A client from before records had timestamps writes -1, and one may write anything else; Postgres takes no such time. */
const END_OF_TIME = Date.UTC(10_000, 0, 1);

/** Of the record's headers. Anything but one offset is no limit: the message is a tombstone like any other. */
function readDeleteBefore(reader: Reader): number | undefined {
  let left = reader.varint();
  if (left <= 0) return undefined;
  let found: string[] = [];
  for (; left > 0; left--) {
    const name = reader.bytes()?.toString('latin1');
    const value = reader.bytes()?.toString('latin1') ?? '';
    if (name === DELETE_BEFORE) found = [...found, value];
  }
  const [text] = found;
  return found.length === 1 && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Reads nothing beyond its bytes. @throws UndecodableError */
class Reader {
  at = 0;

  constructor(private readonly source: Buffer) {}

  /** Zigzag, 7 bits a byte, lowest first; up to 64 bits, of which a number holds 53. */
  varint(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.source[this.at++];
      if (byte === undefined || shift > 2 ** 63) throw endsTooSoon();
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const { at } = this;
    this.skip(length);
    return this.source.subarray(at, this.at);
  }

  skip(length: number): void {
    if (length < 0 || this.at + length > this.source.length) throw endsTooSoon();
    this.at += length;
  }
}

function endsTooSoon(): UndecodableError {
  return new UndecodableError('a record of the batch is longer than the batch');
}
