import { createRequire } from 'node:module';
import fc from 'fast-check';
import { encodeBatch, withChecksum, type TestBatch, type TestRecord } from '../testing/record-batch.ts';
import { readPlainly } from '../testing/record-reader.ts';
import { MAX_INFLATED_BYTES } from './codecs.ts';
import { RecordSet, type AbortedTransaction, type Piece } from './record-set.ts';
import type { RawMessage } from './batch.ts';

/** kafkajs as it is, which knows gzip and no compression. */
const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as (
  decoder: object,
) => Promise<object[]>;
const Batch = require('kafkajs/src/consumer/batch') as new (
  topic: string,
  from: string,
  answer: object,
) => { messages: { offset: string; key: Buffer | null; value: Buffer | null; timestamp: string; headers: object }[] };

const ROOMY = { bytes: Number.MAX_SAFE_INTEGER, messages: Number.MAX_SAFE_INTEGER };
const CODECS = [0, 1, 2, 3, 4];

/** All that a message says, with its bytes copied. */
function plain(message: RawMessage): RawMessage {
  const { offset, key, value, writtenAt, deleteBefore, keyText, valueText } = message;
  expect([keyText, valueText]).toEqual([key?.toString('latin1') ?? null, value?.toString() ?? null]);
  return {
    offset,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    ...(writtenAt === undefined ? {} : { writtenAt }),
    ...(deleteBefore === undefined ? {} : { deleteBefore }),
  };
}

/** All of it, in pieces with as much room as given, each of which is read twice. */
function readAll(set: RecordSet, from: number, room = ROOMY): { messages: RawMessage[]; pieces: Piece[] } {
  const pieces: Piece[] = [];
  for (let next = from; !set.isRead; next = pieces.at(-1)?.next ?? next) {
    const piece = set.take(next, { ...room });
    expect(set.take(next, { ...room }).messages.map(plain)).toEqual(piece.messages.map(plain));
    set.advance(piece);
    pieces.push(piece);
  }
  return { messages: pieces.flatMap(({ messages }) => messages.map(plain)), pieces };
}

async function readWithKafkajs(bytes: Buffer, aborted: readonly AbortedTransaction[]): Promise<RawMessage[]> {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  const messages = await decodeMessages(new Decoder(Buffer.concat([length, bytes])));
  const abortedTransactions = aborted.map(({ producerId, firstOffset }) => ({
    producerId: String(producerId),
    firstOffset: String(firstOffset),
  }));
  const answer = { partition: 0, highWatermark: '0', abortedTransactions, messages };
  return new Batch('t', '0', answer).messages.map(({ offset, key, value, timestamp }) => ({
    offset: Number(offset),
    key,
    value,
    ...(Number(timestamp) >= 0 ? { writtenAt: Number(timestamp) } : {}),
  }));
}

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)));

/** A stretch of a partition: batches of several producers, with holes, some in transactions that end one way or the other. */
const stretches = fc
  .array(
    fc.record({
      contents: fc.array(fc.record({ hole: fc.nat(3), key: bytes, value: bytes, time: fc.nat(2 ** 41) }), {
        maxLength: 8,
      }),
      holeAfter: fc.nat(2),
      codec: fc.constantFrom(...CODECS),
      producerId: fc.nat(2),
      /** of one that is transactional, and what a marker of its producer says after it */
      marker: fc.constantFrom(undefined, 'NONE', 'COMMIT', 'ABORT'),
      appendTime: fc.option(fc.nat(2 ** 41), { nil: undefined }),
    }),
    { maxLength: 8 },
  )
  .map(toStretch);

interface Stretch {
  batches: TestBatch[];
  aborted: AbortedTransaction[];
}

function toStretch(
  specs: readonly {
    contents: { hole: number; key: Buffer | null; value: Buffer | null; time: number }[];
    holeAfter: number;
    codec: number;
    producerId: number;
    marker: string | undefined;
    appendTime: number | undefined;
  }[],
): Stretch {
  const batches: TestBatch[] = [];
  const aborted: AbortedTransaction[] = [];
  const open = new Map<number, number>();
  let next = 0;
  const add = (batch: Omit<TestBatch, 'first' | 'last'>, holeAfter: number): void => {
    const last = Math.max(next, batch.records.at(-1)?.offset ?? 0) + holeAfter;
    batches.push({ ...batch, first: next, last });
    next = last + 1;
  };
  for (const { contents, holeAfter, codec, producerId, marker, appendTime } of specs) {
    let offset = next;
    const records = contents.map(({ hole, key, value, time }): TestRecord => {
      offset += hole;
      return { offset: offset++, timestamp: time, key, value, headers: [] };
    });
    // Of an aborted transaction whose records are all compacted away, kafkajs can forget the next.
    const transactional = marker !== undefined && records.length > 0;
    const first = next;
    add(
      {
        records,
        codec,
        producerId,
        transactional,
        control: false,
        ...(appendTime === undefined ? {} : { appendTime }),
      },
      holeAfter,
    );
    if (!transactional) continue;
    if (!open.has(producerId)) open.set(producerId, first);
    if (marker === 'NONE') continue;
    const key = Buffer.from([0, 0, 0, marker === 'ABORT' ? 0 : 1]);
    const control = { offset: next, timestamp: 0, key, value: Buffer.alloc(6), headers: [] };
    add({ records: [control], codec: 0, producerId, transactional: true, control: true }, 0);
    if (marker === 'ABORT') aborted.push({ producerId: BigInt(producerId), firstOffset: open.get(producerId) ?? 0 });
    open.delete(producerId);
  }
  return { batches, aborted: aborted.sort((a, b) => a.firstOffset - b.firstOffset) };
}

const sum = (batches: readonly TestBatch[], codec?: number): Buffer =>
  Buffer.concat(batches.map((batch) => encodeBatch(codec === undefined ? batch : { ...batch, codec })));

test('reads what kafkajs reads, whatever the codec, from wherever, and in pieces of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      stretches,
      fc.nat(20),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 5 }),
      async ({ batches, aborted }, from, roomBytes, roomMessages) => {
        const all = await readWithKafkajs(sum(batches, 1), aborted);
        const expected = all.filter(({ offset }) => offset >= from);
        const set = new RecordSet(sum(batches), aborted, 1_000);
        const { messages, pieces } = readAll(set, from, { bytes: roomBytes, messages: roomMessages });
        expect(messages).toEqual(expected);
        // Control records, holes and what was aborted count.
        const end = (batches.at(-1)?.last ?? -1) + 1;
        expect(set.next).toBe(end);
        expect(pieces.at(-1)?.next ?? from).toBe(pieces.length > 0 ? Math.max(from, end) : from);
        expect(pieces.every((piece) => piece.messages.every(({ offset }) => offset < piece.next))).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});

const record = (offset: number, value: Buffer, headers: TestRecord['headers'] = []): TestRecord => ({
  offset,
  timestamp: 1,
  key: null,
  value,
  headers,
});
const ordinary = { producerId: -1, transactional: false, control: false };
const batchOf = (first: number, codec = 0, value = Buffer.from('x')): TestBatch => ({
  ...ordinary,
  codec,
  first,
  last: first + 1,
  records: [record(first, value), record(first + 1, value)],
});

test('reads the limit of a tombstone from its header, once', () => {
  const limit = (...values: (string | null)[]): TestRecord['headers'] =>
    values.map((value) => ['slett-foer', value === null ? null : Buffer.from(value)]);
  const records = [limit('17'), limit(), limit('x'), limit('1', '2'), limit(null)].map((headers, offset) =>
    record(offset, Buffer.from(''), [['other', Buffer.from('3')], ...headers]),
  );
  const { messages } = readAll(
    new RecordSet(encodeBatch({ ...ordinary, codec: 4, first: 0, last: 4, records }), [], 5),
    0,
  );
  expect(messages.map(({ deleteBefore }) => deleteBefore)).toEqual([17, undefined, undefined, undefined, undefined]);
});

/** Numbers of any length that a varint may have, written in more bytes than they need, and bytes that are no numbers. */
const numbers = fc.oneof(
  fc.bigInt({ min: -70n, max: 70n }),
  fc.bigInt({ min: -9_000n, max: 9_000n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

function varint(value: bigint, padding = 0): Buffer {
  const bytes: number[] = [];
  let rest = value < 0n ? -2n * value - 1n : 2n * value;
  for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) | 128);
  bytes.push(Number(rest));
  for (let n = 0; n < padding && bytes.length < 10; n++) {
    bytes.push((bytes.pop() ?? 0) | 128);
    bytes.push(0);
  }
  return Buffer.from(bytes);
}

const seldom = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const hostileRecords = fc
  .array(
    fc.record({
      ...{ timestamp: numbers, offset: fc.maxSafeInteger().map(BigInt), padding: fc.nat(3) },
      ...{ keyLength: seldom(numbers), valueLength: seldom(numbers) },
      ...{ key: fc.uint8Array({ maxLength: 200 }), value: fc.uint8Array({ maxLength: 200 }) },
      ...{ headers: fc.constantFrom(0n, 0n, 0n, -1n), longer: seldom(fc.constantFrom(1n, -1n)) },
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((records) =>
    Buffer.concat(
      records.map(({ timestamp, offset, padding, keyLength, valueLength, key, value, headers, longer }) => {
        const fields = Buffer.concat([
          ...[Buffer.from([0]), varint(timestamp, padding), varint(offset, padding)],
          ...[varint(keyLength ?? BigInt(key.length), padding), key],
          ...[varint(valueLength ?? BigInt(value.length), padding), value],
          varint(headers, padding),
        ]);
        return Buffer.concat([varint(BigInt(fields.length) + (longer ?? 0n), padding), fields]);
      }),
    ),
  );

test('reads the records of a batch as the plainest reader does, or refuses what it refuses, whatever they hold', () => {
  let read = 0;
  fc.assert(
    fc.property(hostileRecords, fc.integer({ min: 1, max: 4 }), seldom(fc.nat(8)), (records, count, cut) => {
      const bytes = records.subarray(0, records.length - (cut ?? 0));
      const header = encodeBatch({ ...ordinary, codec: 0, first: 0, last: 9, records: [] });
      const batch = Buffer.concat([header, bytes]);
      batch.writeInt32BE(batch.length - 12, 8);
      batch.writeInt32BE(count, 57);
      // What lies behind it would be read as more of it.
      const set = new RecordSet(Buffer.concat([withChecksum(batch), Buffer.alloc(500, 2)]), [], 10);
      const piece = set.take(Number.MIN_SAFE_INTEGER, { ...ROOMY });
      let expected: RawMessage[] | undefined;
      try {
        expected = readPlainly(bytes, count, 0, -1);
      } catch {
        expected = undefined;
      }
      if (expected) read++;
      expect(piece.undecodable === undefined).toBe(expected !== undefined);
      if (expected) expect(piece.messages.slice(0, count).map(plain)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
  expect(read).toBeGreaterThan(50);
  expect(read).toBeLessThan(450);
});

describe('a batch that can not be read', () => {
  const bomb = Buffer.alloc(MAX_INFLATED_BYTES / 2 + 1);
  const faults: [string, () => Buffer, RegExp][] = [
    ['an unknown codec', () => damaged(batchOf(2), (batch) => batch.writeInt16BE(5, 21)), /codec 5/],
    ['a wrong checksum', () => Buffer.from(encodeBatch(batchOf(2)).fill(7, 70)), /checksum/],
    ['a format from long ago', () => damaged(batchOf(2), (batch) => batch.writeInt8(1, 16)), /format/],
    [
      'a record that is longer than the batch',
      () => damaged(batchOf(2), (batch) => batch.writeInt8(120, 61)),
      /longer/,
    ],
    ['more records than it says to have', () => damaged(batchOf(2), (batch) => batch.writeInt32BE(9, 57)), /longer/],
    ...[1, 2, 3, 4].flatMap((codec): [string, () => Buffer, RegExp][] => [
      [`codec ${String(codec)} that inflates without end`, () => encodeBatch(batchOf(2, codec, bomb)), /more than/],
      [
        `garbage for codec ${String(codec)}`,
        () => damaged(batchOf(2, codec, Buffer.alloc(99)), (batch) => batch.fill(0xaa, 61)),
        /decompressed|frame|block|more than/,
      ],
    ]),
  ];

  test.each(faults)(
    'for %s is told of with its bytes, after all before it and before all after it',
    (_, make, reason) => {
      const batch = make();
      const set = new RecordSet(Buffer.concat([encodeBatch(batchOf(0)), batch, encodeBatch(batchOf(4))]), [], 6);
      expect(set.next).toBe(6);
      const { pieces } = readAll(set, 0);
      expect(pieces.map(({ messages, next }) => [messages.map(({ offset }) => offset), next])).toEqual([
        [[0, 1], 2],
        [[], expect.any(Number)],
        [[4, 5], 6],
      ]);
      expect(pieces[1]?.undecodable?.first).toBe(2);
      expect(pieces[1]?.undecodable?.reason).toMatch(reason);
      expect(pieces[1]?.undecodable?.bytes.equals(batch)).toBe(true);
    },
  );

  test('is any bytes at all: nothing is thrown, and all of it is passed', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        stretches,
        fc.array(fc.tuple(fc.nat(2_000), fc.nat(255))),
        (noise, { batches }, changes) => {
          const changed = Buffer.concat([sum(batches), Buffer.from(noise)]);
          for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
          const set = new RecordSet(changed, [], 1_000);
          for (let n = 0; !set.isRead && n < 10_000; n++) set.advance(set.take(0, { ...ROOMY }));
          expect(set.isRead).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});

test('200,000 records of one batch come in pieces that are worth a transaction', () => {
  const records = Array.from({ length: 200_000 }, (_, offset) => record(offset, Buffer.from('v')));
  const set = new RecordSet(encodeBatch({ ...ordinary, codec: 4, first: 0, last: 199_999, records }), [], 200_000);
  const offsets: number[] = [];
  let pieces = 0;
  for (; !set.isRead; pieces++) {
    const piece = set.take(offsets.length, { bytes: 1_000_000, messages: 20_000 });
    for (const { offset } of piece.messages) offsets.push(offset);
    set.advance(piece);
  }
  expect([pieces, offsets.length, offsets.every((offset, n) => offset === n)]).toEqual([10, 200_000, true]);
});

function damaged(batch: TestBatch, change: (bytes: Buffer) => unknown): Buffer {
  const encoded = encodeBatch(batch);
  change(encoded);
  return withChecksum(encoded);
}
