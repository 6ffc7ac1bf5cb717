import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';
import type { Ferskhet } from './ferskhet.ts';

const FERSKHET = '/api/v1/ferskhet';

/** Where data is answered with. */
const DATA = /^\/(api\/|graphql$)/;

/**
 * Every answer about data says how fresh it is. The moment is taken before the data is read, so that the answer holds at
 * least what it promises. Until the first load is done nothing is answered: «not found» would mean nothing.
 */
export function merkMedFerskhet(app: NestFastifyApplication, ferskhet: Ferskhet): void {
  const server = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  server.addHook('preHandler', (request, reply, ferdig) => {
    const { url = '' } = request.routeOptions;
    if (!DATA.test(url)) return ferdig();
    const oppdatert = ferskhet.dataOppdatert;
    if (oppdatert) reply.header('Data-Oppdatert', oppdatert.toISOString());
    // Only the question of freshness itself can be answered before there is any.
    ferdig(oppdatert || url === FERSKHET ? undefined : ikkeLastet());
  });
}

function ikkeLastet(): Problem {
  return new Problem(fellesFeil.UTILGJENGELIG, 'The first load of data has not been completed', { retryAfter: 10 });
}
