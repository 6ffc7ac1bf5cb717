import { DELETE_BEFORE } from '@tiltak/avtale';
import { PROBLEMS, logger, Problem } from '@tiltak/platform';
import type { Message, Producer } from 'kafkajs';
import { createKafka, type KafkaOptions } from './client.ts';
import { partitionByKey } from './partition-by-key.ts';
import { TopicAdmin, type TopicDescription } from './topic-admin.ts';

/** What is published about an avtale, or one of another resource; a null `value` is a tombstone. */
export interface OutgoingMessage {
  key: string;
  /** bytes: as text, some letters would take twice the memory */
  value: Buffer | null;
  /** where it must lie; by the key when undefined */
  partition?: number;
  /** of a tombstone: the offset of the partition that it does not delete beyond */
  deleteBefore?: number;
  headers?: Record<string, string>;
}

const DEADLINE_MS = 20_000;
/** A broker takes 1 MiB for one partition at a time, unless told otherwise; a topic can have a limit of its own. */
const MAX_BYTES = 512 * 1024;

/** The topic takes no message as large as this one, whatever it is sent together with. */
export class MessageTooLargeError extends Error {
  constructor(
    readonly key: string,
    /** of its value */
    readonly bytes: number,
  ) {
    super('A message is larger than the topic takes');
  }
}

/**
 * Writes to a topic, with the acknowledgement of every replica. After a failure the sequence of an
 * idempotent producer is unknown, so the next attempt gets a new one.
 */
export class Publisher {
  /** as far as the topic has said */
  private maxBytes = MAX_BYTES;
  private connection: Promise<{ producer: Producer; admin: TopicAdmin }> | undefined;

  constructor(
    private readonly options: KafkaOptions,
    readonly topic: string,
  ) {}

  /**
   * @throws Problem 503, or MessageTooLargeError; part of it may be on the topic then, and may be published again
   */
  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    while (!(await this.tryPublish(messages)));
  }

  /** @returns false when the topic takes less at a time: begin again then, all of it, as after any failure */
  private tryPublish(messages: readonly OutgoingMessage[]): Promise<boolean> {
    return this.withDeadline(async ({ producer }, signal) => {
      for (const chunk of chunks(messages, this.maxBytes)) {
        // Who asked has been told that it failed: the rest would come late, and is held in memory until then.
        if (signal.aborted) return false;
        try {
          await producer.send({ topic: this.topic, acks: -1, messages: chunk });
        } catch (error) {
          if (!isTooLarge(error)) throw error;
          this.dropConnection();
          const [only] = chunk;
          if (only && chunk.length === 1) throw new MessageTooLargeError(String(only.key), only.value?.length ?? 0);
          // The limit is the topic's, and who publishes need not have the right to ask for it.
          const size = chunk.reduce((sum, { value }) => sum + sizeOf(value), 0);
          this.maxBytes = Math.min(this.maxBytes, size) / 2;
          return false;
        }
      }
      return true;
    });
  }

  /** @throws Problem 503 */
  describe(): Promise<TopicDescription> {
    return this.withDeadline(({ admin }) => admin.describe(this.topic));
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
      if (error instanceof MessageTooLargeError) throw error;
      logger.warn({ err: error }, 'Kafka could not be written to');
      if (this.connection === connection) this.dropConnection();
      throw new Problem(PROBLEMS.UTILGJENGELIG, 'Kafka does not answer', { retryAfter: 5, cause: error });
    } finally {
      clearTimeout(deadline);
    }
  }

  private dropConnection(): void {
    const { connection } = this;
    this.connection = undefined;
    void connection
      ?.then(({ producer, admin }) => {
        admin.disconnect();
        return producer.disconnect();
      })
      .catch(() => undefined);
  }

  private async connect(): Promise<{ producer: Producer; admin: TopicAdmin }> {
    const producer = createKafka(this.options).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: partitionByKey,
    });
    const admin = new TopicAdmin(this.options);
    await Promise.all([producer.connect(), admin.connect()]);
    return { producer, admin };
  }
}

/** With what Kafka puts around a message. */
function sizeOf(value: Message['value']): number {
  return 100 + (value?.length ?? 0);
}

/** What Kafka says of a batch, and of one message, as large as the topic takes none. */
function isTooLarge(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return true;
  return cause !== undefined && cause !== error && isTooLarge(cause);
}

function* chunks(messages: readonly OutgoingMessage[], maxBytes: number): Generator<Message[]> {
  let chunk: Message[] = [];
  let bytes = 0;
  for (const { key, value, partition, deleteBefore, headers } of messages) {
    const size = sizeOf(value);
    if (bytes + size > maxBytes && chunk.length > 0) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    bytes += size;
    chunk.push({
      key,
      value,
      ...(partition === undefined ? {} : { partition }),
      ...(headers === undefined ? {} : { headers }),
      ...(deleteBefore === undefined ? {} : { headers: { [DELETE_BEFORE]: String(deleteBefore) } }),
    });
  }
  if (chunk.length > 0) yield chunk;
}
