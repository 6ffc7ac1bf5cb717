import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Histogram } from 'prom-client';
import { logger } from '../logger.ts';
import { clientOf } from '../tokens/token.ts';

const duration = new Histogram({
  name: 'http_server_requests_seconds',
  help: 'Time to answer, by route',
  labelNames: ['metode', 'rute', 'status'] as const,
  buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});
collectDefaultMetrics();

/** Logs and measures every answer: by its route, and never by the URL, which is the caller's text. */
export function logResponses(server: FastifyInstance): void {
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    const { elapsedTime } = reply;
    duration.observe({ metode: request.method, rute: route, status }, elapsedTime / 1000);
    const level = route.startsWith('/internal/') ? 'debug' : 'info';
    const ms = Math.round(elapsedTime * 10) / 10;
    logger[level](
      { metode: request.method, rute: route, status, ms, azp: request.token && clientOf(request.token) },
      'Answered',
    );
    done();
  });
}
