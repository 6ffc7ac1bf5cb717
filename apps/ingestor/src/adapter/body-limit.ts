import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PROBLEMS, Problem } from '@tiltak/platform';

const MAX_PAGE_BYTES = 32 * 1024 * 1024;

/**
 * Pages are larger than other requests, and several of the largest at once are more than the process has memory for. So
 * what is read and worked on at a time is limited: whoever comes on top is asked to come again, before the body is read.
 * To be called before the routes are made.
 */
export function allowLargePages(app: NestFastifyApplication): NestFastifyApplication {
  let bytesInFlight = 0;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (route) => {
      if (route.url !== '/adapter/v1/avtaler/synk') return;
      route.bodyLimit = MAX_PAGE_BYTES;
      route.preParsing = async (request, reply, content) => {
        const length = Number(request.headers['content-length'] ?? MAX_PAGE_BYTES);
        if (bytesInFlight > 0 && bytesInFlight + length > MAX_PAGE_BYTES) {
          throw new Problem(PROBLEMS.UTILGJENGELIG, 'Other pages are being worked on', { retryAfter: 1 });
        }
        bytesInFlight += length;
        // Also when the client goes away before it is answered.
        reply.raw.once('close', () => (bytesInFlight -= length));
        return content;
      };
    });
  return app;
}
