import { Catch, Controller, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { MessageBatch, Outcome } from '../kafka/batch.ts';
import { GroupWriter } from './group-writer.ts';

export const AVTALE_EVENT = 'avtale-hendelse';

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
  constructor(private readonly writer: GroupWriter) {}

  /** Stores a group of batches, at most one of each partition. */
  @MessagePattern(AVTALE_EVENT)
  receive(@Payload() batches: readonly MessageBatch[]): Promise<readonly Outcome[]> {
    return this.writer.write(batches);
  }
}
