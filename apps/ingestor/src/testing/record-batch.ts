import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { crc32c } from '../kafka/crc32c.ts';

/** A record as a producer gives it. */
export interface TestRecord {
  offset: number;
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: [string, Buffer | null][];
}

export interface TestBatch {
  records: readonly TestRecord[];
  first: number;
  last: number;
  codec: number;
  producerId: number;
  transactional: boolean;
  control: boolean;
  /** for all records, when the broker sets the time */
  appendTime?: number;
}

const COMPRESS: Record<number, (bytes: Buffer) => Buffer> = {
  0: (bytes) => bytes,
  1: gzipSync,
  2: compressSync,
  3: compressFrameSync,
  4: zstdCompressSync,
};

/** The batch as it lies on a topic: https://kafka.apache.org/documentation/#recordbatch */
export function encodeBatch(batch: TestBatch): Buffer {
  const firstTimestamp = batch.records[0]?.timestamp ?? -1;
  const records = batch.records.map((record) => encodeRecord(record, batch.first, firstTimestamp));
  const body = COMPRESS[batch.codec]?.(Buffer.concat(records)) ?? Buffer.concat(records);
  const bytes = Buffer.concat([Buffer.alloc(61), body]);
  bytes.writeBigInt64BE(BigInt(batch.first), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt8(2, 16);
  const attributes = (batch.transactional ? 0x10 : 0) | (batch.control ? 0x20 : 0);
  bytes.writeInt16BE(batch.codec | attributes | (batch.appendTime === undefined ? 0 : 0x08), 21);
  bytes.writeInt32BE(batch.last - batch.first, 23);
  bytes.writeBigInt64BE(BigInt(firstTimestamp), 27);
  bytes.writeBigInt64BE(BigInt(batch.appendTime ?? firstTimestamp), 35);
  bytes.writeBigInt64BE(BigInt(batch.producerId), 43);
  bytes.writeInt32BE(batch.records.length, 57);
  return withChecksum(bytes);
}

/** As the broker lets it in, whatever has been done to it. */
export function withChecksum(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

function encodeRecord({ offset, timestamp, key, value, headers }: TestRecord, first: number, from: number): Buffer {
  const parts = [Buffer.from([0]), varint(timestamp - from), varint(offset - first), ...sized(key), ...sized(value)];
  parts.push(varint(headers.length));
  for (const [name, content] of headers) parts.push(...sized(Buffer.from(name)), ...sized(content));
  const record = Buffer.concat(parts);
  return Buffer.concat([varint(record.length), record]);
}

function sized(bytes: Buffer | null): Buffer[] {
  return bytes ? [varint(bytes.length), bytes] : [varint(-1)];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
