import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Histogram } from 'prom-client';
import { logg } from '../logg.ts';

const varighet = new Histogram({
  name: 'http_server_requests_seconds',
  help: 'Time to answer, by route',
  labelNames: ['metode', 'rute', 'status'] as const,
  buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});
collectDefaultMetrics();

/** Logs and measures every answer: by its route, and never by the URL, which is the caller's text. */
export function noterSvar(server: FastifyInstance): void {
  server.addHook('onResponse', (request, reply, ferdig) => {
    const rute = request.routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    varighet.observe({ metode: request.method, rute, status }, reply.elapsedTime / 1000);
    const nivaa = rute.startsWith('/internal/') ? 'debug' : 'info';
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    logg[nivaa]({ metode: request.method, rute, status, ms, azp: request.token?.azp }, 'Answered');
    ferdig();
  });
}
