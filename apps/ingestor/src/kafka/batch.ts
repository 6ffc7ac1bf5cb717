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
