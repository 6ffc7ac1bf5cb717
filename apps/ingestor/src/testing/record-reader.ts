import { DELETE_BEFORE } from '@tiltak/avtale';
import type { RawMessage } from '../kafka/batch.ts';

/** The records of a batch read in the plainest way, as an oracle: `count` of them, inflated, and not one byte more. */
export function readPlainly(records: Buffer, count: number, first: number, firstTimestamp: number): RawMessage[] {
  const reader = new PlainReader(records);
  const messages = Array.from({ length: count }, () => readRecord(reader, first, firstTimestamp));
  return messages;
}

function readRecord(reader: PlainReader, first: number, firstTimestamp: number): RawMessage {
  const length = reader.varint();
  const end = reader.at + length;
  reader.skip(1);
  const timestamp = firstTimestamp + reader.varint();
  const offset = first + reader.varint();
  const message: RawMessage = { offset, key: reader.bytes(), value: reader.bytes() };
  if (timestamp >= 0 && timestamp < Date.UTC(10_000, 0, 1)) message.writtenAt = timestamp;
  const limits: string[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.bytes()?.toString('latin1');
    const value = reader.bytes()?.toString('latin1') ?? '';
    if (name === DELETE_BEFORE) limits.push(value);
  }
  const [text] = limits;
  if (limits.length === 1 && text !== undefined && /^\d{1,15}$/.test(text)) message.deleteBefore = Number(text);
  if (reader.at !== end) throw new RangeError('not as long as it says');
  return message;
}

class PlainReader {
  at = 0;

  constructor(private readonly source: Buffer) {}

  varint(): number {
    let bits = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.source[this.at++];
      if (byte === undefined || shift > 63n) throw new RangeError('ends too soon');
      bits |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    // A number holds 53 of them: no length or offset has more.
    const value = Number(bits);
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
    if (length < 0 || this.at + length > this.source.length) throw new RangeError('ends too soon');
    this.at += length;
  }
}
