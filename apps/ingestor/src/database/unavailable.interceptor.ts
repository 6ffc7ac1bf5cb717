import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { isTransient } from '@tiltak/database';
import { PROBLEMS, logger, Problem } from '@tiltak/platform';
import { catchError, type Observable } from 'rxjs';

/** Who asks over HTTP is told with 503 that the database can't be reached or is busy; the stream's handler waits itself. */
@Injectable()
export class DatabaseUnavailableInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    return next.handle().pipe(
      catchError((error: unknown) => {
        throw callerError(error);
      }),
    );
  }
}

/** What is told to who asks; what is no fault of the database stays as it is. */
export function callerError(error: unknown): unknown {
  if (error instanceof Problem || !isTransient(error)) return error;
  logger.warn({ err: error }, 'The database could not be used');
  return new Problem(PROBLEMS.UTILGJENGELIG, 'The database does not answer', { retryAfter: 5, cause: error });
}
