import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { tokenOf } from '../access.guard.ts';
import { callerError } from '../database/unavailable.interceptor.ts';
import type { Adapter } from './adapter.ts';
import { requireContract } from './contract.ts';
import { RESOURCES } from './pushed/resources.ts';
import { MAX_RESOURCES } from './sync-page.ts';

const MAX_PAGE_BYTES = 32 * 1024 * 1024;

const PAGE_ROUTES = new Set(RESOURCES.map((resource) => `/adapter/v1/${resource}/synk`));

/** An avtale of the source has a hundred members, and some lists within. */
const PAGE_LIMITS = { depth: 32, values: 10_000, members: 1_000, list: { name: 'ressurser', entries: MAX_RESOURCES } };

/**
 * Pages are larger than other requests, and several of the largest at once are more than the process has memory for. So
 * what is read and worked on at a time is limited: whoever comes on top is asked to come again, before the body is read,
 * and so is told whoever has no contract. To be called before the routes are made.
 */
export function allowLargePages(app: NestFastifyApplication, adapter: Pick<Adapter, 'pool'>): NestFastifyApplication {
  let bytesInFlight = 0;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (route) => {
      if (!PAGE_ROUTES.has(route.url)) return;
      route.bodyLimit = MAX_PAGE_BYTES;
      route.config = { ...route.config, json: PAGE_LIMITS };
      route.onRequest = async (request, reply) => {
        await requireContractEarly(adapter, request);
        // Gone meanwhile: nothing would give back what it took.
        if (reply.raw.closed) throw new Problem(PROBLEMS.UTILGJENGELIG, 'The connection is closed');
        const length = Number(request.headers['content-length'] ?? MAX_PAGE_BYTES);
        if (bytesInFlight > 0 && bytesInFlight + length > MAX_PAGE_BYTES) {
          throw new Problem(PROBLEMS.UTILGJENGELIG, 'Other pages are being worked on', { retryAfter: 2 });
        }
        bytesInFlight += length;
        // Also when the client goes away before it is answered.
        reply.raw.once('close', () => (bytesInFlight -= length));
      };
    });
  return app;
}

async function requireContractEarly({ pool }: Pick<Adapter, 'pool'>, request: FastifyRequest): Promise<void> {
  try {
    await requireContract(pool, tokenOf(request));
  } catch (error) {
    throw callerError(error);
  }
}
