import { Catch, Controller, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { MessageBatch } from '../kafka/batch.ts';
import { UNKNOWN_POSITION } from '../kafka/batch-consumer.ts';
import { metrics } from '../metrics.ts';
import { Ingest, UnknownPositionError, type IngestResult } from './ingest.ts';

export const AVTALE_EVENT = 'avtale-hendelse';

/** Nest's own filter would hide the error from the transport, which decides by it. */
@Catch()
class RethrowFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

@Controller()
@UseFilters(RethrowFilter)
export class AvtalerConsumer {
  constructor(private readonly ingest: Ingest) {}

  /** Stores a batch of the source's messages; answers with the position to go on from. */
  @MessagePattern(AVTALE_EVENT)
  async motta(@Payload() batch: MessageBatch): Promise<number> {
    const stop = metrics.batchSeconds.startTimer();
    try {
      const ingested = await this.ingest.ingestBatch(batch);
      stop();
      countOutcomes(batch, ingested);
      return ingested.nextOffset;
    } catch (error) {
      if (error instanceof UnknownPositionError) return UNKNOWN_POSITION;
      throw error;
    }
  }
}

function countOutcomes(
  batch: MessageBatch,
  { folds: folder, parked, alreadyProcessed: processedBefore }: IngestResult,
): void {
  metrics.batchMessages.observe(batch.messages.length);
  metrics.meldinger.inc({ utfall: 'BEHANDLET_FOER' }, processedBefore);
  metrics.meldinger.inc({ utfall: 'PARKERT' }, parked.length);
  for (const { code, field } of parked) metrics.parkert.inc({ kode: code, felt: field ?? '' });
  for (const { outcomes: outcome, versions } of folder) {
    for (const [name, count] of Object.entries(outcome)) metrics.meldinger.inc({ utfall: name }, count);
    for (const { content } of versions) for (const field of content.unknown) metrics.unknownValue.inc({ felt: field });
  }
}
