import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { register } from 'prom-client';

/** What must answer true, and soon, for the process to be ready; by the name shown when it does not. */
export type ReadinessChecks = Record<string, () => boolean | Promise<boolean>>;

/** Shorter than the platform waits for an answer, so that it is told what is missing. */
const DEADLINE_MS = 900;

const ALIVE = '/internal/isalive';
const READY = '/internal/isready';
const PROMETHEUS = '/internal/prometheus';
export const HEALTH_ROUTES = [ALIVE, READY, PROMETHEUS];
const HEAD_TOO = { exposeHeadRoute: true };

/** Health and metrics, as the platform asks for them. */
export function addHealthRoutes(
  server: FastifyInstance,
  readiness: ReadinessChecks,
  state: { closing: boolean },
): void {
  server.get(ALIVE, HEAD_TOO, (_request, reply) => reply.send({ status: 'OK' }));
  server.get(READY, HEAD_TOO, async (_request, reply) => {
    const missing = state.closing ? ['stenger'] : await notReady(readiness);
    const ready = missing.length === 0;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'OK' : 'IKKE_KLAR', mangler: missing });
  });
  server.get(PROMETHEUS, HEAD_TOO, async (_request, reply) =>
    reply.header('content-type', register.contentType).send(await register.metrics()),
  );
}

async function notReady(readiness: ReadinessChecks): Promise<string[]> {
  const names = await Promise.all(
    Object.entries(readiness).map(async ([name, check]) => ((await isReady(check)) ? [] : [name])),
  );
  return names.flat();
}

async function isReady(check: ReadinessChecks[string]): Promise<boolean> {
  const answered = new AbortController();
  const deadline = wait(DEADLINE_MS, false, { signal: answered.signal }).catch(() => false);
  try {
    return await Promise.race([check(), deadline]);
  } catch {
    return false;
  } finally {
    answered.abort();
  }
}
