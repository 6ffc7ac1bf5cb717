/** A message as Kafka gave it. */
export interface RawMessage {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  /** of a tombstone: the offset that it does not delete beyond */
  deleteBefore?: number;
  /** the timestamp of the record, ms since 1970; absent when it has none */
  writtenAt?: number | undefined;
  /** the key as latin1, where it costs no `key`: a consumer's messages have it */
  keyText?: string | null;
  /** the value as UTF-8, where it costs no `value`; what is no UTF-8 has become U+FFFD */
  valueText?: string | null;
}

/** Consecutive messages of one partition; a compacted topic has holes between the offsets. */
export interface MessageBatch {
  topic: string;
  /** of the topic that they were fetched from */
  epoch: number;
  partition: number;
  /** The position that was asked for: everything from here to the first message is known to be a hole. */
  fetchedFrom: number;
  messages: readonly RawMessage[];
  /** the position after the batch */
  nextOffset: number;
  /** the partition's end when the batch was fetched */
  endOffset: number;
}

/** What became of a batch: the position to go on from, or that it is to be tried again. */
export type Outcome = number | Failed;

/** Of one batch. Its partition backs off, and the others go on. */
export interface Failed {
  error: unknown;
}

/** A batch of its own of some of its messages, up to where the next of them is. */
export function partOf(batch: MessageBatch, from: number, most: number): MessageBatch {
  const { messages, nextOffset } = batch;
  const next = messages[from + most]?.offset ?? nextOffset;
  return { ...batch, messages: messages.slice(from, from + most), nextOffset: next };
}

/** One after the other; the outcomes are in the order of the batches. */
export async function storeEach(
  batches: readonly MessageBatch[],
  store: (batch: MessageBatch) => Promise<number>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const batch of batches) outcomes.push(await store(batch).catch((error: unknown): Failed => ({ error })));
  return outcomes;
}
