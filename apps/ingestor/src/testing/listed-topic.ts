import type { MessageBatch, RawMessage } from '../kafka/batch.ts';
import { Topic } from '../kafka/topic-reader.ts';

/** A topic without Kafka: a list for each partition, which forgets as compaction and retention do. */
export class ListedTopic {
  lanes: RawMessage[][];
  readonly ends: number[];

  constructor(
    readonly name: string,
    partitions: number,
  ) {
    this.lanes = Array.from({ length: partitions }, () => []);
    this.ends = this.lanes.map(() => 0);
  }

  /** @param make of each, at its offset @returns them in batches of this size */
  append<T>(
    partition: number,
    all: readonly T[],
    make: (one: T, offset: number) => RawMessage,
    size: number,
  ): MessageBatch[] {
    const from = this.ends[partition] ?? 0;
    const published = all.map((one, n) => make(one, from + n));
    this.lanes[partition]?.push(...published);
    this.ends[partition] = from + published.length;
    return Array.from({ length: Math.ceil(published.length / size) }, (_, n) =>
      this.batchOf(partition, published.slice(n * size, (n + 1) * size), from + n * size),
    );
  }

  batchOf(partition: number, messages: readonly RawMessage[], fetchedFrom: number): MessageBatch {
    const nextOffset = (messages.at(-1)?.offset ?? fetchedFrom - 1) + 1;
    return { topic: this.name, epoch: 0, partition, fetchedFrom, messages, nextOffset, endOffset: nextOffset };
  }

  /** Reads what the topic holds when it is asked, some messages at a time; `onPiece` may disturb it. */
  asTopic(onPiece: () => Promise<void>): Topic {
    const describe = (): Promise<never> =>
      Promise.resolve({
        id: 'own',
        partitions: this.ends.map((end, partition) => ({ partition, start: 0, end, stableEnd: end })),
      } as never);
    return new Topic(this.name, describe, ({ handle, positions }) => {
      let isClosed = false;
      const read = async (): Promise<void> => {
        const from = await positions({ ...(await (describe() as Promise<object>)), epoch: 0 } as never);
        for (const [partition, start] of from) {
          for (let next = start; next < (this.ends[partition] ?? 0) && !isClosed;) {
            const some = (this.lanes[partition] ?? []).filter(({ offset }) => offset >= next).slice(0, 2);
            const piece = this.batchOf(partition, some, next);
            next = await handle(some.length > 0 ? piece : { ...piece, nextOffset: this.ends[partition] ?? 0 });
            await onPiece();
          }
        }
      };
      let reading: Promise<void> = Promise.resolve();
      return {
        listen: () => void (reading = read()),
        close: () => {
          isClosed = true;
          return reading.catch(() => undefined);
        },
      };
    });
  }
}
