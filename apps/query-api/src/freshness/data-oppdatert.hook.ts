import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/**
 * Every answer that something was read for says up to when everything is included in it, also that there is no such
 * avtale. What was refused before that carries nothing: it tells nothing of the data.
 */
export function addDataOppdatert(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onSend', (request, reply, payload, done) => {
    const text = request.grant?.moment.text;
    if (text !== undefined && reply.statusCode < 500) reply.header('Data-Oppdatert', text);
    done(null, payload);
  });
}
