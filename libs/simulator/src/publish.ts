import { setTimeout as wait } from 'node:timers/promises';
import { Partitioners, type Producer } from 'kafkajs';
import type { PositionedSourceMessage } from './oracle/oracle.ts';
import type { SourceMessage } from './source/source-message.ts';

const MAX_MESSAGES = 500;
/** Under what a broker takes in one batch unless it is told otherwise, 1 MiB, should all be for one partition. */
const MAX_BYTES = 900_000;

interface Options {
  /** of the topic */
  partitions: number;
  /** messages per second; undefined: as fast as it goes */
  pace?: number | undefined;
}

/**
 * Publishes messages in order, acknowledged by all replicas, and yields each with its place once it has one: so nothing
 * is published that nobody asks for. The partition follows from the key, as with Java's clients.
 */
export async function* publish(
  producer: Producer,
  topic: string,
  messages: Iterable<SourceMessage> | AsyncIterable<SourceMessage>,
  { partitions, pace }: Options,
): AsyncGenerator<PositionedSourceMessage> {
  const partitionFor = partitioner(topic, partitions);
  const from = performance.now();
  let sent = 0;
  for await (const group of groups(messages, pace)) {
    const positioned = group.map((message) => ({ ...message, partition: partitionFor(message) }));
    const response = await producer.send({
      topic,
      acks: -1,
      messages: positioned.map(({ key, value, partition }) => ({ key, value, partition })),
    });
    // The broker tells where each partition's part of the group begins.
    const next = new Map(response.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
    for (const message of positioned) {
      const offset = next.get(message.partition);
      if (offset === undefined)
        throw new Error(`Kafka did not say where partition ${String(message.partition)} begins`);
      next.set(message.partition, offset + 1);
      yield { ...message, offset };
    }
    sent += group.length;
    if (pace !== undefined) await wait(Math.max(0, (sent / pace) * 1_000 - (performance.now() - from)));
  }
}

/** Kafka's own choice from the key, made here so that it is known. */
function partitioner(topic: string, count: number): (message: SourceMessage) => number {
  const pick = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return ({ key, value }) => pick({ topic, partitionMetadata, message: { key, value } });
}

/** What is sent at a time: with a `pace`, a twentieth of a second's messages. */
async function* groups(
  messages: Iterable<SourceMessage> | AsyncIterable<SourceMessage>,
  pace = Infinity,
): AsyncGenerator<SourceMessage[]> {
  const maxGroup = Math.max(1, Math.min(MAX_MESSAGES, Math.floor(pace / 20)));
  let group: SourceMessage[] = [];
  let bytes = 0;
  for await (const message of messages) {
    const size = message.value === null ? 0 : Buffer.byteLength(message.value);
    if (group.length > 0 && (group.length >= maxGroup || bytes + size > MAX_BYTES)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(message);
    bytes += size;
  }
  if (group.length > 0) yield group;
}
