import type { Fold } from '@tiltak/avtale';
import type { MessageBatch } from '../kafka/batch.ts';
import { setPosition } from '../kafka/positions.queries.ts';
import type { EncodedContent } from './avtaler.rows.ts';
import type { ParkedMessage } from './parse.ts';
import type { Writer } from './writer.ts';

/** The stored position does not fit the topic, which must be looked at before anything is consumed. */
export class UnknownPositionError extends Error {}

/** What a batch came to, for the metrics. */
export interface IngestResult {
  /** where consumption of the partition goes on; not always after this batch, see `MessageBatch` */
  nextOffset: number;
  folds: Fold<EncodedContent>[];
  parked: ParkedMessage[];
  alreadyProcessed: number;
}

/**
 * Stores what of the batch is not stored yet, and the position after it.
 *
 * @throws UnknownPositionError, and what `Writer.write` throws: the batch is to be tried again then
 */
export function ingestBatch(writer: Pick<Writer, 'write'>, batch: MessageBatch): Promise<IngestResult> {
  const { topic, epoch, partition } = batch;
  return writer.write<IngestResult>({
    topic,
    epoch,
    partition,
    select: async (db, position) => {
      const { messages, nextOffset } = notStored(batch, position);
      return {
        messages,
        record: async ({ folds, parked }) => {
          await setPosition(db, batch, nextOffset);
          return { nextOffset, folds, parked, alreadyProcessed: batch.messages.length - messages.length };
        },
      };
    },
  });
}

/**
 * What of a batch is not stored yet, and the position after it.
 *
 * @param position the stored one, locked
 * @throws UnknownPositionError when the batch does not go on from there
 */
export function notStored(
  batch: MessageBatch,
  position: number | undefined,
): Pick<MessageBatch, 'messages' | 'nextOffset'> {
  // The database may be behind where Kafka was read from, as when it is restored from a backup; or Kafka has removed what
  // lies between.
  if (position === undefined || position > batch.endOffset || position < batch.fetchedFrom) {
    throw new UnknownPositionError(`topic ${batch.topic}, partition ${String(batch.partition)}`);
  }
  const messages = batch.messages.filter(({ offset }) => offset >= position);
  return { messages, nextOffset: Math.max(position, batch.nextOffset) };
}
