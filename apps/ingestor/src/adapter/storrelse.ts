import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { fellesFeil, Problem } from '@tiltak/platform';

const MAKS_SIDE_BYTES = 32 * 1024 * 1024;

/**
 * Pages are larger than other requests, and several of the largest at once are more than the process has memory for. So
 * what is read and worked on at a time is limited: whoever comes on top is asked to come again, before the body is read.
 * To be called before the routes are made.
 */
export function tillatStoreSider(app: NestFastifyApplication): NestFastifyApplication {
  let bytesIArbeid = 0;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (rute) => {
      if (rute.url !== '/adapter/v1/avtaler/synk') return;
      rute.bodyLimit = MAKS_SIDE_BYTES;
      rute.preParsing = async (request, reply, innhold) => {
        const lengde = Number(request.headers['content-length'] ?? MAKS_SIDE_BYTES);
        if (bytesIArbeid > 0 && bytesIArbeid + lengde > MAKS_SIDE_BYTES) {
          throw new Problem(fellesFeil.UTILGJENGELIG, 'Other pages are being worked on', { retryAfter: 1 });
        }
        bytesIArbeid += lengde;
        // Also when the client goes away before it is answered.
        reply.raw.once('close', () => (bytesIArbeid -= lengde));
        return innhold;
      };
    });
  return app;
}
