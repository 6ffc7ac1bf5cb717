import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { erForbigaaende } from '@tiltak/database';
import { fellesFeil, logg, Problem } from '@tiltak/platform';
import { catchError, type Observable } from 'rxjs';

/** Who asks over HTTP is told with 503 that the database can't be reached or is busy; the stream's handler waits itself. */
@Injectable()
export class Databasefeil implements NestInterceptor {
  intercept(kontekst: ExecutionContext, neste: CallHandler): Observable<unknown> {
    if (kontekst.getType() !== 'http') return neste.handle();
    return neste.handle().pipe(
      catchError((feil: unknown) => {
        throw tilProblem(feil);
      }),
    );
  }
}

function tilProblem(feil: unknown): unknown {
  if (feil instanceof Problem || !erForbigaaende(feil)) return feil;
  logg.warn({ err: feil }, 'The database could not be used');
  return new Problem(fellesFeil.UTILGJENGELIG, 'The database does not answer', { retryAfter: 5, cause: feil });
}
