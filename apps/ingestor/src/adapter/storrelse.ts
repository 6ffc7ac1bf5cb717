import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const MAKS_SIDE_BYTES = 32 * 1024 * 1024;

/** Pages are larger than other requests. To be called before the routes are made. */
export function tillatStoreSider(app: NestFastifyApplication): NestFastifyApplication {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', (rute) => {
      if (rute.url === '/adapter/v1/avtaler/synk') rute.bodyLimit = MAKS_SIDE_BYTES;
    });
  return app;
}
