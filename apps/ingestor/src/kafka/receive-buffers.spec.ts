import { createHash } from 'node:crypto';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createTestTopic, testEnvironment, type TestTopic } from '@tiltak/testing';
import fc from 'fast-check';
import type { ConnectionOptions } from 'node:tls';
import Connection from 'kafkajs/src/network/connection.js';
import fetchRequest from 'kafkajs/src/protocol/requests/fetch/index.js';
import { withRecordSets } from './kafkajs-patch.ts';
import { AnswerReader, ReceiveBuffers, type Answer, type Lease } from './receive-buffers.ts';
import { RecordSet } from './record-set.ts';

const buffers = new ReceiveBuffers();

const digest = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

/** Bytes that no other answer has. */
function fill(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 61) bytes[at] = (seed * 31 + at) % 251;
  return bytes;
}

test('answers come whole however they are cut, and are the same for as long as somebody holds them', () => {
  const memory = new Set<ArrayBufferLike>();
  let reused = 0;
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          size: fc.oneof(fc.nat(300), fc.integer({ min: 60_000, max: 300_000 })),
          isLeased: fc.boolean(),
          /** how many answers later it is let go, and by how many holders */
          holdFor: fc.nat(4),
          holders: fc.integer({ min: 1, max: 3 }),
        }),
        { minLength: 1, maxLength: 20 },
      ),
      fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 200_000 }))),
      (answers, cuts) => {
        const sent = answers.map(({ size }, n) => {
          const header = Buffer.alloc(8);
          header.writeInt32BE(size + 4, 0);
          header.writeInt32BE(n, 4);
          return Buffer.concat([header, fill(size, n)]);
        });
        const held: { until: number; payload: Buffer; lease: Lease; n: number; holders: number }[] = [];
        const letGo = (now: number): void => {
          for (const one of held.splice(0)) {
            if (one.until > now) held.push(one);
            else {
              expect(digest(one.payload)).toBe(digest(fill(one.payload.length, one.n)));
              for (let n = 0; n < one.holders; n++) one.lease.release();
              expect(() => one.lease.hold()).toThrow(/not held/);
            }
          }
        };
        const received: number[] = [];
        const reader = new AnswerReader({
          buffers,
          isLeased: (n) => answers[n]?.isLeased ?? false,
          fail: (error) => {
            throw error;
          },
          receive: ({ correlationId: n, payload, lease }: Answer) => {
            received.push(n);
            expect(digest(payload)).toBe(digest(fill(answers[n]?.size ?? -1, n)));
            expect(lease !== undefined).toBe(answers[n]?.isLeased);
            letGo(n);
            if (!lease) return;
            if (payload.length > 64 * 1024) {
              if (memory.has(payload.buffer)) reused++;
              memory.add(payload.buffer);
            }
            const { holdFor = 0, holders = 1 } = answers[n] ?? {};
            for (let more = 1; more < holders; more++) lease.hold();
            held.push({ until: n + holdFor, payload, lease, n, holders });
          },
        });
        const stream = Buffer.concat(sent);
        for (let at = 0; at < stream.length;) {
          const space = reader.space();
          const count = Math.min(space.length, cuts.next().value as number, stream.length - at);
          stream.copy(space, 0, at, at + count);
          reader.filled(count);
          at += count;
        }
        letGo(Infinity);
        expect(received).toEqual(answers.map((_, n) => n));
      },
    ),
    { numRuns: 40 },
  );
  expect(reused).toBeGreaterThan(10);
});

test.each([
  ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['a length that is none', Buffer.from([255, 255, 255, 255, 0, 0, 0, 0, 1])],
])('%s is no answer of a broker, and nothing is set aside for it', (_, bytes) => {
  const errors: string[] = [];
  const reader = new AnswerReader({
    buffers,
    isLeased: () => true,
    receive: () => errors.push('received'),
    fail: ({ message }) => errors.push(message),
  });
  bytes.copy(reader.space());
  reader.filled(bytes.length);
  expect(errors).toEqual(['What answers is no broker']);
});

describe('messages of a real broker do not change under who holds them while answers keep coming', () => {
  const COUNT = 2_000;
  const values = Array.from({ length: COUNT }, (_, n) => fill(3_000, n));
  let topic: TestTopic;
  beforeAll(async () => {
    topic = await createTestTopic();
    await topic.publish(values.map((value, n) => ({ key: String(n), value })));
  }, 60_000);
  afterAll(() => topic.remove());

  const psk = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' as const };
  const key = Buffer.alloc(16, 7);
  const tlsOfClient: ConnectionOptions = {
    ...psk,
    pskCallback: () => ({ psk: key, identity: 'test' }),
    checkServerIdentity: () => undefined,
  };

  test.each([
    ['plain', null],
    ['TLS', tlsOfClient],
  ])(
    '%s',
    async (_, ssl) => {
      const [host = '', port = ''] = testEnvironment().kafka.split(',')[0]?.split(':') ?? [];
      // A broker with TLS, as far as a client sees it.
      const forward = (client: NodeJS.ReadWriteStream & { destroy: () => void }): void => {
        const broker = connect(Number(port), host);
        client.pipe(broker).pipe(client);
        client.on('error', () => broker.destroy());
        broker.on('error', () => client.destroy());
      };
      const front = ssl ? createTlsServer({ ...psk, pskCallback: () => key }, forward) : createServer(forward);
      await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
      try {
        await withRecordSets(() => readAndHold((front.address() as AddressInfo).port, ssl));
      } finally {
        front.close();
      }
    },
    60_000,
  );

  interface FetchAnswer {
    responses: { partitions: { messages: { fetched: RecordSet }[] }[] }[];
  }

  async function readAndHold(port: number, ssl: ConnectionOptions | null): Promise<void> {
    const logger = { namespace: () => ({ debug: () => 0, error: () => 0, warn: () => 0, info: () => 0 }) };
    const connection = new Connection({
      ...{ host: '127.0.0.1', port, ssl, logger, requestTimeout: 30_000, connectionTimeout: 10_000 },
      socketFactory: () => {
        throw new Error('not asked');
      },
    });
    await connection.connect();
    const fetch = async (from: number): Promise<RecordSet | undefined> => {
      const partitions = [{ partition: 0, fetchOffset: String(from), maxBytes: 600_000 }];
      const request = { replicaId: -1, maxWaitTime: 100, minBytes: 1, maxBytes: 4_194_304, isolationLevel: 1 };
      const protocol = fetchRequest.protocol({ version: 11 })({
        ...request,
        topics: [{ topic: topic.topic, partitions }],
      });
      const { responses } = (await connection.send(protocol)) as FetchAnswer;
      return responses[0]?.partitions[0]?.messages[0]?.fetched;
    };
    const memory = new Map<ArrayBufferLike, number>();
    const held: { set: RecordSet; check: () => void }[] = [];
    try {
      for (let n = 0; n < 30; n++) {
        const from = (n * 577) % COUNT;
        const set = await fetch(from);
        if (!set) throw new Error('Kafka gave nothing');
        const { messages } = set.take(from, { bytes: Infinity, messages: Infinity });
        expect(messages[0]?.offset).toBe(from);
        const check = (): void => {
          for (const { offset, keyText, value } of messages) {
            if (keyText !== String(offset)) throw new Error(`The key of ${String(offset)} has changed`);
            if (!value?.equals(values[offset] ?? Buffer.alloc(0)))
              throw new Error(`Offset ${String(offset)} has changed`);
          }
        };
        check();
        const { buffer } = set.lease?.bytes ?? {};
        if (buffer) memory.set(buffer, (memory.get(buffer) ?? 0) + 1);
        held.push({ set, check });
        if (n % 3 > 0) continue;
        const [oldest] = held.splice(0, 1);
        oldest?.check();
        if (n % 2 === 0) oldest?.set.detach();
        else oldest?.set.lease?.release();
      }
      for (const { check } of held) check();
      expect(Math.max(...memory.values())).toBeGreaterThan(1);
    } finally {
      await connection.disconnect();
    }
  }
});
