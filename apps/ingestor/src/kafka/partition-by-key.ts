import type { ICustomPartitioner } from 'kafkajs';

/**
 * Where a message lies, as Kafka's own clients choose it by the key, and so does the default of KafkaJS: an avtale must
 * stay where it is. Theirs counts with objects of 64 bits, which took a quarter of what publishing takes.
 */
export const partitionByKey: ICustomPartitioner =
  () =>
  ({ message, partitionMetadata }) => {
    if (message.partition !== undefined) return message.partition;
    if (message.key === undefined || message.key === null) throw new Error('A message without a key lies nowhere');
    return (murmur2(Buffer.from(message.key)) & 0x7fffffff) % partitionMetadata.length;
  };

const M = 0x5bd1e995;

/** A hash of 32 bits, with the seed that Kafka gives it. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const whole = length & ~3;
  let h = 0x9747b28c ^ length;
  for (let i = 0; i < whole; i += 4) {
    let k = at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  if (length > whole) {
    h ^= at(bytes, whole) | (at(bytes, whole + 1) << 8) | (at(bytes, whole + 2) << 16);
    h = Math.imul(h, M);
  }
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
}

/** 0 beyond the end. */
const at = (bytes: Uint8Array, i: number): number => bytes[i] ?? 0;
