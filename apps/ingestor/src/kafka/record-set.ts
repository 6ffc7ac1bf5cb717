import { DELETE_BEFORE } from '@tiltak/avtale';
import type { RawMessage } from './batch.ts';
import { inflate, UndecodableError } from './codecs.ts';
import { crc32c } from './crc32c.ts';
import type { Lease } from './receive-buffers.ts';

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
  /** how many of its records have been read, and where the next begins, in the bytes that they are inflated to */
  given: number;
  recordsAt: number;
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
  /** whether it is known to be of the topic that is read, and not of another of its name */
  isConfirmed = false;
  private readonly end: number;
  private cursor: Cursor = { at: 0, given: 0, recordsAt: 0, begun: 0, aborted: new Set() };
  private readonly transactions: readonly AbortedTransaction[];

  constructor(
    private records: Buffer,
    aborted: readonly AbortedTransaction[],
    /** the partition's end when this was fetched */
    readonly endOffset: number,
    private answer: Lease | undefined = undefined,
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

  /** What waits, and not what the broker cut off behind it. */
  get bytes(): number {
    return this.end;
  }

  get isRead(): boolean {
    return this.cursor.at >= this.end;
  }

  /** Into bytes of its own, which nobody else waits for. */
  detach(): void {
    const { lease } = this;
    if (!lease) return;
    this.records = Buffer.from(this.records.subarray(0, this.end));
    this.answer = undefined;
    lease.release();
  }

  /** Of the answer that its bytes lie in; it is held for as long as the set waits. */
  get lease(): Lease | undefined {
    return this.answer;
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
        piece.cursor = { ...piece.cursor, at: batch.end, given: 0, recordsAt: 0 };
        break;
      }
    }
    return piece;
  }

  /** @returns whether all of the batch was taken */
  private takeBatch(batch: Batch, from: number, room: Room, piece: Piece): boolean {
    const { given, recordsAt } = piece.cursor;
    const header = readHeader(this.records, batch, given === 0);
    const { begun, aborted } = this.abortedIn(batch, header, piece.cursor);
    const isRead =
      !header.isControl && !(header.isTransactional && aborted.has(header.producerId)) && batch.last >= from;
    if (isRead) {
      const read = readRecords(header, { given, recordsAt }, from, room);
      for (const message of read.messages) piece.messages.push(message);
      if (given + read.count < header.count) {
        piece.next = Math.max(from, read.last + 1);
        piece.cursor = { at: batch.start, given: given + read.count, recordsAt: read.recordsAt, begun, aborted };
        return false;
      }
    }
    piece.next = Math.max(piece.next, batch.last + 1);
    piece.cursor = { at: batch.end, given: 0, recordsAt: 0, begun, aborted };
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
      const [marker] = readRecords(header, { given: 0, recordsAt: 0 }, 0, { bytes: 1, messages: 1 }).messages;
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

/** What the messages of one batch have in common. */
interface BatchOfMessages {
  /** of its records, from `from` on */
  bytes: Buffer;
  from: number;
  first: number;
  firstTimestamp: number;
  appendTime: number | undefined;
}

const NOTHING = -1;

/** Places in the bytes of the batch: what is asked for is made then, and nothing else is. */
class BatchMessage implements RawMessage {
  deleteBefore?: number;

  constructor(
    private readonly batch: BatchOfMessages,
    private readonly offsetDelta: number,
    private readonly timestampDelta: number,
    private readonly keyAt: number,
    private readonly keyEnd: number,
    private readonly valueAt: number,
    private readonly valueEnd: number,
  ) {}

  get offset(): number {
    return this.batch.first + this.offsetDelta;
  }

  /** A client from before records had timestamps writes -1, and one may write anything else; Postgres takes no such time. */
  get writtenAt(): number | undefined {
    const { appendTime, firstTimestamp } = this.batch;
    const timestamp = appendTime ?? firstTimestamp + this.timestampDelta;
    return timestamp >= 0 && timestamp < END_OF_TIME ? timestamp : undefined;
  }

  get key(): Buffer | null {
    return this.keyEnd === NOTHING ? null : this.bytes(this.keyAt, this.keyEnd);
  }

  get value(): Buffer | null {
    return this.valueEnd === NOTHING ? null : this.bytes(this.valueAt, this.valueEnd);
  }

  get keyText(): string | null {
    return this.keyEnd === NOTHING ? null : this.text('latin1', this.keyAt, this.keyEnd);
  }

  get valueText(): string | null {
    return this.valueEnd === NOTHING ? null : this.text('utf8', this.valueAt, this.valueEnd);
  }

  private bytes(at: number, end: number): Buffer {
    const { bytes, from } = this.batch;
    return bytes.subarray(at - from, end - from);
  }

  private text(encoding: 'latin1' | 'utf8', at: number, end: number): string {
    const { bytes, from } = this.batch;
    return bytes.toString(encoding, at - from, end - from);
  }
}

const END_OF_TIME = Date.UTC(10_000, 0, 1);

/** Of a batch: how many of its records have been read, and where the next begins. */
type Place = Pick<Cursor, 'given' | 'recordsAt'>;

interface RecordsRead {
  /** those from the wanted offset on */
  messages: RawMessage[];
  /** of all that were read: how many, the offset of the last, and where the next begins */
  count: number;
  last: number;
  recordsAt: number;
}

/**
 * From a place on, as many as there is room for, and one at least.
 *
 * @throws UndecodableError
 */
function readRecords(header: Header, { given, recordsAt }: Place, from: number, room: Room): RecordsRead {
  const records = header.codec === 0 ? header.records : inflate(header.codec, header.records);
  const { first, firstTimestamp, appendTime } = header;
  const batch: BatchOfMessages = { bytes: records, from: 0, first, firstTimestamp, appendTime };
  const reader = new Reader(records, recordsAt);
  const messages: RawMessage[] = [];
  let [count, last] = [0, first - 1];
  for (; given + count < header.count && room.messages > 0 && room.bytes > 0; count++) {
    const { at } = reader;
    const message = readRecord(reader, batch);
    room.messages--;
    room.bytes -= reader.at - at;
    last = message.offset;
    if (last >= from) messages.push(message);
  }
  // What a batch inflates to is not kept for the part of it that is.
  const isSmallPart = header.codec !== 0 && records.length > 2 * (reader.at - recordsAt);
  if (isSmallPart) {
    batch.bytes = Buffer.from(records.subarray(recordsAt, reader.at));
    batch.from = recordsAt;
  }
  return { messages, count, last, recordsAt: reader.at };
}
/** @throws UndecodableError */
function readRecord(reader: Reader, batch: BatchOfMessages): BatchMessage {
  const length = reader.varint();
  const end = reader.at + length;
  reader.skip(length);
  reader.at = end - length;
  reader.skip(1);
  const timestampDelta = reader.varint();
  const offsetDelta = reader.varint();
  const keyLength = reader.varint();
  const keyAt = reader.at;
  if (keyLength > 0) reader.skip(keyLength);
  const keyEnd = keyLength < 0 ? NOTHING : reader.at;
  const valueLength = reader.varint();
  const valueAt = reader.at;
  if (valueLength > 0) reader.skip(valueLength);
  const valueEnd = valueLength < 0 ? NOTHING : reader.at;
  const message = new BatchMessage(batch, offsetDelta, timestampDelta, keyAt, keyEnd, valueAt, valueEnd);
  const headers = reader.varint();
  if (headers > 0) {
    const deleteBefore = readDeleteBefore(reader, headers);
    if (deleteBefore !== undefined) message.deleteBefore = deleteBefore;
  }
  if (reader.at !== end) throw new UndecodableError('a record of the batch is not as long as it says');
  return message;
}

/** Of the record's headers. Anything but one offset is no limit: the message is a tombstone like any other. */
function readDeleteBefore(reader: Reader, count: number): number | undefined {
  let found: string[] = [];
  for (let left = count; left > 0; left--) {
    const name = reader.text();
    const value = reader.text() ?? '';
    if (name === DELETE_BEFORE) found = [...found, value];
  }
  const [text] = found;
  return found.length === 1 && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Reads nothing beyond its bytes. @throws UndecodableError */
class Reader {
  constructor(
    private readonly source: Buffer,
    public at: number,
  ) {}

  /** Zigzag, 7 bits a byte, lowest first; up to 64 bits, of which a number holds 53. Most have one byte, or two. */
  varint(): number {
    const { source, at } = this;
    if (at + 1 < source.length) {
      const low = source[at] as number;
      if (low < 0x80) {
        this.at = at + 1;
        return (low >>> 1) ^ -(low & 1);
      }
      const high = source[at + 1] as number;
      if (high < 0x80) {
        this.at = at + 2;
        const value = (low & 0x7f) | (high << 7);
        return (value >>> 1) ^ -(value & 1);
      }
    }
    return this.longVarint();
  }

  private longVarint(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      if (this.at >= this.source.length || shift > 2 ** 63) throw endsTooSoon();
      const byte = this.source[this.at++] as number;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string | undefined {
    const length = this.varint();
    if (length < 0) return undefined;
    const { at } = this;
    this.skip(length);
    return this.source.toString('latin1', at, this.at);
  }

  skip(length: number): void {
    if (length < 0 || this.at + length > this.source.length) throw endsTooSoon();
    this.at += length;
  }
}

function endsTooSoon(): UndecodableError {
  return new UndecodableError('a record of the batch is longer than the batch');
}
