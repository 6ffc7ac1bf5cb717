import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';
import type { Ferskhet } from './ferskhet.ts';

const FERSKHET = '/api/v1/ferskhet';

/**
 * Every answer about data says how fresh it is. The moment is taken before the data is read, so that the answer holds at
 * least what it promises. Until the first load is done nothing is answered: «not found» would mean nothing.
 */
export function merkMedFerskhet(app: NestFastifyApplication, ferskhet: Ferskhet): void {
  const server = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  server.addHook('preHandler', (request, reply, ferdig) => {
    if (!request.url.startsWith('/api/')) return ferdig();
    const oppdatert = ferskhet.dataOppdatert;
    if (oppdatert) reply.header('Data-Oppdatert', oppdatert.toISOString());
    // Only the question of freshness itself can be answered before there is any.
    ferdig(oppdatert || request.routeOptions.url === FERSKHET ? undefined : ikkeLastet());
  });
}

function ikkeLastet(): Problem {
  return new Problem(fellesFeil.UTILGJENGELIG, 'The first load of data has not been completed', { retryAfter: 10 });
}
