import type { ResourceTask, ResourceWriter, ResourceWritten } from '../ingest/resource-writer.ts';
import { notStored, UnknownPositionError } from '../ingest/ingest-batch.ts';
import { MESSAGES_IN_PIECE, type GiveWay, type Pieces } from '../background/give-way.ts';
import { partOf, storeEach, type MessageBatch, type Outcome } from '../kafka/batch.ts';
import { UNKNOWN_POSITION } from '../kafka/batch-consumer.ts';
import { setPosition } from '../kafka/positions.queries.ts';
import { metrics } from '../metrics.ts';
import { recordSeenMeanwhile } from '../operations/rebuild/resource-rebuild.queries.ts';

/** It holds no lock of an avtale: with nothing else to do there is a commit for each tenth of a second, not for each 20 ms. */
const IN_PIECE = { ...MESSAGES_IN_PIECE, idleMs: 100 };
/** As many as come at a time when nothing is read anew. */
const FEW = 20;

/** Takes the batches of a resource's topic: what is more than somebody waits for gives way to the stream of avtaler. */
export class ResourceConsumer {
  private readonly pieces: Pieces;

  constructor(
    private readonly writer: ResourceWriter,
    giveWay: GiveWay,
  ) {
    this.pieces = giveWay.inPieces(IN_PIECE);
  }

  /** Stores a group of batches, at most one of each partition. */
  receive(batches: readonly MessageBatch[]): Promise<Outcome[]> {
    return storeEach(batches, (batch) => this.store(batch));
  }

  /** Answers with the position to go on from. */
  private async store(batch: MessageBatch): Promise<number> {
    const { messages } = batch;
    try {
      let next = batch.nextOffset;
      if (messages.length <= FEW) next = await this.ingest(batch);
      for (let from = 0; messages.length > FEW && from < messages.length;) {
        next = await this.pieces.take((most) => {
          const part = partOf(batch, from, most);
          from += part.messages.length;
          return this.ingest(part);
        });
      }
      return next;
    } catch (error) {
      if (error instanceof UnknownPositionError) return UNKNOWN_POSITION;
      throw error;
    }
  }

  private async ingest(batch: MessageBatch): Promise<number> {
    const { nextOffset, folds, parked } = await ingestResource(this.writer, batch);
    for (const { code, field } of parked) metrics.parked.inc({ kode: code, felt: field ?? '' });
    const labels = { ressurs: this.writer.name };
    metrics.resourceMessages.inc({ ...labels, utfall: 'PARKERT' }, parked.length);
    for (const { outcomes } of folds) {
      for (const [outcome, count] of Object.entries(outcomes)) {
        if (count > 0) metrics.resourceMessages.inc({ ...labels, utfall: outcome }, count);
      }
    }
    return nextOffset;
  }
}

/**
 * Stores what of the batch is not stored yet, and the position after it, as `ingestBatch` of avtaler.
 *
 * @throws UnknownPositionError, and what `ResourceWriter.write` throws: the batch is to be tried again then
 */
export function ingestResource(
  writer: ResourceWriter,
  batch: MessageBatch,
): Promise<ResourceWritten & { nextOffset: number }> {
  const { topic, epoch, partition } = batch;
  const task: ResourceTask<ResourceWritten & { nextOffset: number }> = {
    topic,
    epoch,
    partition,
    select: async (db, position) => {
      const { messages, nextOffset } = notStored(batch, position);
      return {
        messages,
        record: async (written) => {
          await setPosition(db, batch, nextOffset);
          await recordSeenMeanwhile(db, topic, writer.keysOf(written));
          return { nextOffset, ...written };
        },
      };
    },
  };
  return writer.write(task);
}
