import { Controller, UseFilters } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { logger } from '@tiltak/platform';
import { GiveWay, MESSAGES_IN_PIECE, type Pieces } from '../background/give-way.ts';
import { RethrowFilter } from '../ingest/avtaler.consumer.ts';
import { notStored, UnknownPositionError } from '../ingest/ingest-batch.ts';
import { PersonWriter, type PersonsWritten } from '../ingest/person-writer.ts';
import { partOf, storeEach, type MessageBatch, type Outcome } from '../kafka/batch.ts';
import { UNKNOWN_POSITION } from '../kafka/batch-consumer.ts';
import { setPosition } from '../kafka/positions.queries.ts';
import { metrics } from '../metrics.ts';
import { recordSeenMeanwhile } from '../operations/rebuild/resource-rebuild.queries.ts';

export const IDENT_EVENT = 'ident-hendelse';

/** As many as come at a time when nothing is read anew. */
const FEW = 20;

/** The stream of the person register: which idents are one person's. */
@Controller()
@UseFilters(RethrowFilter)
export class IdenterConsumer {
  private pieces: Pieces | undefined;

  constructor(
    private readonly personWriter: PersonWriter,
    private readonly giveWay: GiveWay,
  ) {}

  /** Stores a group of batches, at most one of each partition. */
  @MessagePattern(IDENT_EVENT)
  receive(@Payload() batches: readonly MessageBatch[]): Promise<Outcome[]> {
    return storeEach(batches, (batch) => this.store(batch));
  }

  /** What is more than somebody waits for gives way to the stream of avtaler, which waits while persons are changed. */
  private async ingest(batch: MessageBatch): Promise<number> {
    const count = batch.messages.length;
    if (count <= FEW) return this.ingestPart(batch);
    const pieces = (this.pieces ??= this.giveWay.inPieces(MESSAGES_IN_PIECE));
    let next = batch.nextOffset;
    for (let from = 0; from < count;) {
      next = await pieces.take((most) => {
        const part = partOf(batch, from, most);
        from += part.messages.length;
        return this.ingestPart(part);
      });
    }
    return next;
  }

  /** Told of when it is stored: of what comes after it, a piece may fail. */
  private async ingestPart(batch: MessageBatch): Promise<number> {
    const { nextOffset, parked, moved, avtaler } = await ingestIdents(this.personWriter, batch);
    for (const { code, field } of parked) metrics.parked.inc({ kode: code, felt: field ?? '' });
    if (avtaler > 0) logger.info({ identer: moved, avtaler }, 'Avtaler have followed their persons');
    return nextOffset;
  }

  /** Answers with the position to go on from. */
  private async store(batch: MessageBatch): Promise<number> {
    const { partition, endOffset } = batch;
    // Should it not be stored, this is how far behind it stays.
    metrics.identLag.set({ partisjon: partition }, endOffset - batch.fetchedFrom);
    try {
      const nextOffset = await this.ingest(batch);
      metrics.identLag.set({ partisjon: partition }, Math.max(0, endOffset - nextOffset));
      return nextOffset;
    } catch (error) {
      if (error instanceof UnknownPositionError) return UNKNOWN_POSITION;
      throw error;
    }
  }
}

export interface IdentResult extends PersonsWritten {
  nextOffset: number;
}

/**
 * Stores what of the batch is not stored yet, and the position after it, as `ingestBatch` of avtaler.
 *
 * @throws UnknownPositionError, and what `PersonWriter.write` throws: the batch is to be tried again then
 */
export function ingestIdents(writer: PersonWriter, batch: MessageBatch): Promise<IdentResult> {
  const { topic, epoch, partition } = batch;
  return writer.write<IdentResult>({
    topic,
    epoch,
    partition,
    select: async (db, position) => {
      const { messages, nextOffset } = notStored(batch, position);
      return {
        messages,
        record: async (written) => {
          await setPosition(db, batch, nextOffset);
          await recordSeenMeanwhile(db, topic, written.keys);
          return { nextOffset, ...written };
        },
      };
    },
  });
}
