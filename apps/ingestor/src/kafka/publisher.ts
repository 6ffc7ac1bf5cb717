import { DELETE_BEFORE } from '@tiltak/avtale';
import { PROBLEMS, logger, Problem } from '@tiltak/platform';
import { Partitioners, type Message, type Producer } from 'kafkajs';
import { createKafka, type KafkaOptions } from './client.ts';
import { TopicAdmin, type PartitionExtent } from './topic-admin.ts';

/** What an adapter's push becomes on the organisation's topic; a null `value` is a tombstone. */
export interface OutgoingMessage {
  avtaleId: string;
  /** bytes: as text, some letters would take twice the memory */
  value: Buffer | null;
  /** where it must lie; by the key when undefined */
  partition?: number;
  /** of a tombstone: the offset of the partition that it does not delete beyond */
  deleteBefore?: number;
}

const DEADLINE_MS = 20_000;
/** A broker takes 1 MiB for one partition at a time, unless told otherwise. */
const MAX_BYTES = 512 * 1024;

/**
 * Writes to the organisation's topic, with the acknowledgement of every replica. After a failure the sequence of an
 * idempotent producer is unknown, so the next attempt gets a new one.
 */
export class Publisher {
  private connection: Promise<{ producer: Producer; admin: TopicAdmin }> | undefined;

  constructor(
    private readonly options: KafkaOptions,
    readonly topic: string,
  ) {}

  /** @throws Problem 503; part of it may be on the topic then, and may be published again */
  publish(messages: readonly OutgoingMessage[]): Promise<void> {
    return this.withDeadline(async ({ producer }, signal) => {
      for (const chunk of chunks(messages)) {
        // Who asked has been told that it failed: the rest would come late, and is held in memory until then.
        if (signal.aborted) return;
        await producer.send({ topic: this.topic, acks: -1, messages: chunk });
      }
    });
  }

  /** @throws Problem 503 */
  extents(): Promise<PartitionExtent[]> {
    return this.withDeadline(async ({ admin }) => (await admin.describe(this.topic)).partitions);
  }

  async stop(): Promise<void> {
    const connection = await this.connection?.catch(() => undefined);
    await connection?.producer.disconnect();
    connection?.admin.disconnect();
  }

  private async withDeadline<T>(
    work: (kafka: { producer: Producer; admin: TopicAdmin }, aborted: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const abort = new AbortController();
    const connection = (this.connection ??= this.connect());
    let deadline: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      deadline = setTimeout(() => reject(new Error('Kafka did not answer in time')), DEADLINE_MS);
    });
    try {
      return await Promise.race([connection.then((kafka) => work(kafka, abort.signal)), tooLate]);
    } catch (error) {
      abort.abort();
      logger.warn({ err: error }, 'Kafka could not be written to');
      if (this.connection === connection) this.connection = undefined;
      void connection
        .then(({ producer, admin }) => {
          admin.disconnect();
          return producer.disconnect();
        })
        .catch(() => undefined);
      throw new Problem(PROBLEMS.UTILGJENGELIG, 'Kafka does not answer', { retryAfter: 5, cause: error });
    } finally {
      clearTimeout(deadline);
    }
  }

  private async connect(): Promise<{ producer: Producer; admin: TopicAdmin }> {
    // The default, which KafkaJS warns about unless it is named.
    const createPartitioner = Partitioners.DefaultPartitioner;
    const producer = createKafka(this.options).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner,
    });
    const admin = new TopicAdmin(this.options);
    await Promise.all([producer.connect(), admin.connect()]);
    return { producer, admin };
  }
}

function* chunks(messages: readonly OutgoingMessage[]): Generator<Message[]> {
  let chunk: Message[] = [];
  let bytes = 0;
  for (const { avtaleId, value, partition, deleteBefore } of messages) {
    const size = 100 + (value?.length ?? 0);
    if (bytes + size > MAX_BYTES && chunk.length > 0) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    bytes += size;
    chunk.push({
      key: avtaleId,
      value,
      ...(partition === undefined ? {} : { partition }),
      ...(deleteBefore === undefined ? {} : { headers: { [DELETE_BEFORE]: String(deleteBefore) } }),
    });
  }
  if (chunk.length > 0) yield chunk;
}
