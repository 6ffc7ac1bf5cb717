import { Catch, Controller, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Fold } from '@tiltak/avtale';
import { throwError, type Observable } from 'rxjs';
import { storeEach, type MessageBatch, type Outcome } from '../kafka/batch.ts';
import { UNKNOWN_POSITION } from '../kafka/batch-consumer.ts';
import { setPosition } from '../kafka/positions.queries.ts';
import { metrics } from '../metrics.ts';
import type { EncodedContent } from './avtaler.rows.ts';
import type { ParkedMessage } from './parse.ts';
import { Writer } from './writer.ts';

export const AVTALE_EVENT = 'avtale-hendelse';

/** The stored position does not fit the topic, which must be looked at before anything is consumed. */
export class UnknownPositionError extends Error {}

/** Nest's own filter would hide the error from the transport, which decides by it. */
@Catch()
export class RethrowFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** The stream of the source's messages. */
@Controller()
@UseFilters(RethrowFilter)
export class AvtalerConsumer {
  constructor(private readonly writer: Writer) {}

  /** Stores a group of batches, at most one of each partition. */
  @MessagePattern(AVTALE_EVENT)
  receive(@Payload() batches: readonly MessageBatch[]): Promise<Outcome[]> {
    return storeEach(batches, (batch) => this.store(batch));
  }

  /** Answers with the position to go on from. */
  private async store(batch: MessageBatch): Promise<number> {
    const stop = metrics.batchSeconds.startTimer();
    try {
      const result = await ingestBatch(this.writer, batch);
      stop();
      countOutcomes(batch, result);
      return result.nextOffset;
    } catch (error) {
      if (error instanceof UnknownPositionError) return UNKNOWN_POSITION;
      throw error;
    }
  }
}

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

function countOutcomes(batch: MessageBatch, { folds, parked, alreadyProcessed }: IngestResult): void {
  metrics.batchMessages.observe(batch.messages.length);
  metrics.messages.inc({ utfall: 'BEHANDLET_FOER' }, alreadyProcessed);
  metrics.messages.inc({ utfall: 'PARKERT' }, parked.length);
  for (const { code, field } of parked) metrics.parked.inc({ kode: code, felt: field ?? '' });
  for (const { outcomes, versions } of folds) {
    for (const [name, count] of Object.entries(outcomes)) metrics.messages.inc({ utfall: name }, count);
    for (const { content } of versions) for (const field of content.unknown) metrics.unknownValue.inc({ felt: field });
  }
}
