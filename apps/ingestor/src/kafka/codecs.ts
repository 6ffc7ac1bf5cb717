import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decompressFrameSync } from 'lz4-napi';
import { uncompressSync } from 'snappy';

/** A batch of records that can't be read: why, in words that hold nothing of it. */
export class UndecodableError extends Error {}

/**
 * The records of one batch may take this much memory. A producer fills a batch to 16 KiB unless told otherwise, and a
 * broker takes 1 MiB: what becomes more than 32 times as large is no batch of avtaler.
 */
export const MAX_INFLATED_BYTES = 32 * 1024 * 1024;

/** By the number that Kafka gives a codec. */
const CODECS: Record<number, (bytes: Buffer) => Buffer> = {
  1: (bytes) => gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }),
  2: inflateSnappy,
  3: inflateLz4,
  4: (bytes) =>
    zstdDecompressSync(bytes, {
      maxOutputLength: MAX_INFLATED_BYTES,
      // The window is memory too; the default allows four times the bound.
      params: { [constants.ZSTD_d_windowLogMax]: 25 },
    }),
};

/** All at once, so that what a batch inflates to is held for no longer than it takes to read it. @throws UndecodableError */
export function inflate(codec: number, bytes: Buffer): Buffer {
  const inflateWith = CODECS[codec];
  if (!inflateWith)
    throw new UndecodableError(`the batch is compressed with codec ${String(codec)}, which is not known`);
  try {
    return inflateWith(bytes);
  } catch (error) {
    if (error instanceof UndecodableError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new UndecodableError(`the batch can not be decompressed (codec ${String(codec)})`);
  }
}

function tooLarge(): UndecodableError {
  return new UndecodableError(`the batch inflates to more than ${String(MAX_INFLATED_BYTES)} bytes`);
}

/** What snappy-java puts in front, and with it Kafka's own producer; then two versions, then blocks with their lengths. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;

/** Blocks of snappy-java, or one raw block, as librdkafka writes it. */
function inflateSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return inflateSnappyBlock(bytes, 0);
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const length = bytes.readInt32BE(at);
    if (length < 0 || at + 4 + length > bytes.length)
      throw new UndecodableError('the batch ends within a snappy block');
    const block = inflateSnappyBlock(bytes.subarray(at + 4, at + 4 + length), total);
    blocks.push(block);
    total += block.length;
    at += 4 + length;
  }
  return blocks.length === 1 && blocks[0] ? blocks[0] : Buffer.concat(blocks);
}

/** It begins with the length that it inflates to: 7 bits a byte, lowest first. Nothing is set aside for more than that. */
function inflateSnappyBlock(block: Buffer, before: number): Buffer {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  if (before + length > MAX_INFLATED_BYTES) throw tooLarge();
  return uncompressSync(block, { asBuffer: true }) as Buffer;
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_BLOCK_BYTES = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024];

/** The library has no bound of its own: a frame is first walked, block by block, for how much it can become. */
function inflateLz4(bytes: Buffer): Buffer {
  if (bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new UndecodableError('the batch is no frame of lz4');
  const flags = bytes.readUInt8(4);
  const blockBytes = LZ4_BLOCK_BYTES[(bytes.readUInt8(5) >> 4) & 7] ?? 0;
  const [hasBlockChecksum, hasSize, hasDictionary] = [flags & 0x10, flags & 0x08, flags & 0x01];
  let at = 6 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1;
  let total = 0;
  // The highest bit says that a block is not compressed.
  for (let size = bytes.readUInt32LE(at); size !== 0; size = bytes.readUInt32LE(at)) {
    const length = size & 0x7fffffff;
    // A byte of a compressed block stands for 255 at the most.
    total += size >>> 31 ? length : Math.min(blockBytes, length * 255);
    if (total > MAX_INFLATED_BYTES) throw tooLarge();
    at += 4 + length + (hasBlockChecksum ? 4 : 0);
  }
  return decompressFrameSync(bytes);
}
