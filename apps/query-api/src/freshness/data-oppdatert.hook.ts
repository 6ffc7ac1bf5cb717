import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Freshness } from './freshness.ts';

const FRESHNESS = '/api/v1/ferskhet';

/** Where data is answered with. */
const DATA = /^\/(api\/|graphql$)/;

/**
 * Every answer about data says how fresh it is. The moment is taken before the data is read, so that the answer holds at
 * least what it promises. Until the first load is done nothing is answered: «not found» would mean nothing.
 */
export function addDataOppdatert(app: NestFastifyApplication, freshness: Freshness): void {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('preHandler', (request, reply, done) => {
    const { url = '' } = request.routeOptions;
    if (!DATA.test(url)) return done();
    const updated = freshness.dataOppdatert;
    if (updated) reply.header('Data-Oppdatert', updated.toISOString());
    // Only the question of freshness itself can be answered before there is any.
    done(updated || url === FRESHNESS ? undefined : notLoaded());
  });
}

function notLoaded(): Problem {
  return new Problem(PROBLEMS.UTILGJENGELIG, 'The first load of data has not been completed', { retryAfter: 10 });
}
