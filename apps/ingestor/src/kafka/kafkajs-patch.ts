import { AsyncLocalStorage } from 'node:async_hooks';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Batch } from 'kafkajs';
import kafkajsPackage from 'kafkajs/package.json' with { type: 'json' };
import Connection from 'kafkajs/src/network/connection.js';
import Decoder from 'kafkajs/src/protocol/decoder.js';
import fetchRequest from 'kafkajs/src/protocol/requests/fetch/index.js';
import { AnswerReader, ReceiveBuffers, type Lease } from './receive-buffers.ts';
import { RecordSet, type AbortedTransaction } from './record-set.ts';

/**
 * The one place where kafkajs is made to do what it does not (ADR 29, 42): how the answer of a fetch is received and read.
 *
 * Its own way reads all records at once, throws the whole answer away when one batch of one partition can't be read, and
 * drops what is no message, so that nobody hears where the partition ends. Here a partition's answer becomes one message to
 * kafkajs, which holds the bytes as they came, and has the offset of the last record; nothing else in kafkajs notices.
 *
 * Its own way joins what comes of an answer again and again, each time in memory that is used once. Here the socket puts it
 * into bytes that are used again.
 */
const PATCHED_VERSION = '2.2.4';
/** The newest that kafkajs knows; brokers have it since Kafka 2.3. */
const FETCH_VERSION = 11;

/** Of those that read record sets: what they receive into. */
const asRecordSets = new AsyncLocalStorage<ReceiveBuffers>();
/** Of an answer's payload, until it is read. */
const leases = new WeakMap<Buffer, Lease>();
let isPatched = false;

/** What a partition's part of an answer is. */
export type Fetched = RecordSet | 'OUT_OF_RANGE';

/**
 * A consumer that is connected and started within `run` gets batches for `fetchedOf`; all others in the process receive and
 * read as kafkajs does.
 *
 * @throws when another version of kafkajs is installed than the one that this was written for
 */
export function withRecordSets<T>(run: () => T): T {
  patch();
  return asRecordSets.run(new ReceiveBuffers(), run);
}

/** What was fetched; instead of the batch's messages, which are not there. */
export function fetchedOf(batch: Batch): Fetched {
  const [carrier] = batch.messages as unknown as Carrier[];
  if (!carrier?.fetched) throw new Error('The consumer of this batch was not started within withRecordSets');
  return carrier.fetched;
}

/** Where this batch was fetched from. */
export function fetchedFrom(batch: Batch): number {
  return Number((batch as Batch & { fetchedOffset: string }).fetchedOffset);
}

function patch(): void {
  if (isPatched) return;
  const { version } = kafkajsPackage;
  if (version !== PATCHED_VERSION) {
    throw new Error(`kafkajs ${version} is installed; kafkajs-patch.ts is written for ${PATCHED_VERSION} (ADR 29)`);
  }
  patchFetch();
  patchConnection();
  isPatched = true;
}

function patchFetch(): void {
  const { protocol } = fetchRequest;
  fetchRequest.protocol = (chosen) => {
    const build = protocol(chosen);
    if (asRecordSets.getStore() === undefined) return build;
    if (chosen.version !== FETCH_VERSION) throw new Error('The brokers must be of Kafka 2.3 or newer');
    return (request) => {
      const built = build(request);
      const { parse } = built.response;
      return { ...built, response: { parse, decode: (bytes) => Promise.resolve(decode(bytes)) } };
    };
  };
}

function patchConnection(): void {
  const { connect } = Connection.prototype;
  Connection.prototype.connect = function (this: Connection) {
    const buffers = asRecordSets.getStore();
    // What is said while somebody logs in with SASL is no answer like the others; nobody here does.
    if (buffers && !this.sasl) this.socketFactory = (address) => openSocket(this, buffers, address);
    return connect.call(this);
  };
}

const FETCH_KEY = 1;
const KEEP_ALIVE_MS = 60_000;

/** As kafkajs opens one, but that it asks where to put what it reads, and has no data to tell of. */
function openSocket(
  { requestQueue }: Connection,
  buffers: ReceiveBuffers,
  { host, port, ssl, onConnect }: Parameters<Connection['socketFactory']>[0],
): Socket {
  const answers = new AnswerReader({
    buffers,
    isLeased: (correlationId) => requestQueue.inflight.get(correlationId)?.entry.apiKey === FETCH_KEY,
    receive: ({ correlationId, payload, lease }) => {
      if (lease) leases.set(payload, lease);
      requestQueue.fulfillRequest({ correlationId, payload, size: payload.length });
    },
    fail: (error) => socket.destroy(error),
  });
  const onread = {
    buffer: () => answers.space(),
    callback: (count: number) => {
      answers.filled(count);
      return true;
    },
  };
  const options = { host, port, onread };
  const socket: Socket = ssl
    ? connectTls({ ...(isIP(host) ? {} : { servername: host }), ...ssl, ...options }, onConnect)
    : connectPlain(options, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

/** As a message of kafkajs, as far as it looks at one. */
interface Carrier {
  offset: string;
  isControlRecord: false;
  fetched: Fetched;
}

interface PartitionAnswer {
  partition: number;
  errorCode: number;
  highWatermark: string;
  /** Aborted transactions are the record set's to know. */
  abortedTransactions: [];
  preferredReadReplica: number;
  messages: Carrier[];
}

/** https://kafka.apache.org/protocol#The_Messages_Fetch, version 11 */
function decode(bytes: Buffer): object {
  const lease = leases.get(bytes);
  leases.delete(bytes);
  const decoder = new Decoder(bytes);
  const waitMs = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const sessionId = decoder.readInt32();
  const responses = decoder.readArray(() => ({
    topicName: decoder.readString(),
    partitions: decoder.readArray((part) => decodePartition(part, lease)),
  }));
  // Each set that holds records holds the bytes too.
  lease?.release();
  return { throttleTime: 0, clientSideThrottleTime: waitMs, errorCode, sessionId, responses };
}

const OUT_OF_RANGE = 1;
/** Beyond every position: kafkajs passes by what lies before the one that it asked for. */
const END_OF_OFFSETS = '9223372036854775807';

function decodePartition(decoder: Decoder, lease: Lease | undefined): PartitionAnswer {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = decoder.readInt64().toString();
  decoder.readInt64(); // the last stable offset
  decoder.readInt64(); // where the log starts
  const aborted = decoder.readArray(decodeAborted);
  const preferredReadReplica = decoder.readInt32();
  const records = decoder.readBytes();
  const answer = { partition, errorCode, highWatermark, abortedTransactions: [] as [], preferredReadReplica };
  // Told to the one partition that it is about; kafkajs would go on from where the topic starts, and not say so.
  if (errorCode === OUT_OF_RANGE) {
    return { ...answer, errorCode: 0, messages: [carrier(END_OF_OFFSETS, 'OUT_OF_RANGE')] };
  }
  const set = records && new RecordSet(records, aborted, Number(highWatermark), lease);
  if (!set || set.next === 0) return { ...answer, messages: [] };
  lease?.hold();
  return { ...answer, messages: [carrier(String(set.next - 1), set)] };
}

function decodeAborted(decoder: Decoder): AbortedTransaction {
  const producerId = BigInt(decoder.readInt64().toString());
  return { producerId, firstOffset: Number(decoder.readInt64().toString()) };
}

function carrier(offset: string, fetched: Fetched): Carrier {
  return { offset, isControlRecord: false, fetched };
}
