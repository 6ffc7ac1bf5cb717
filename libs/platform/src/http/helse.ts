import { setTimeout as vent } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { register } from 'prom-client';

/** What must answer true, and soon, for the process to be ready; by the name shown when it does not. */
export type Klarhet = Record<string, () => boolean | Promise<boolean>>;

/** Shorter than the platform waits for an answer, so that it is told what is missing. */
const FRIST_MS = 900;

const ALIVE = '/internal/isalive';
const READY = '/internal/isready';
const PROMETHEUS = '/internal/prometheus';
export const HELSERUTER = [ALIVE, READY, PROMETHEUS];

/** Health and metrics, as the platform asks for them. */
export function leggTilHelse(server: FastifyInstance, klarhet: Klarhet, tilstand: { stenger: boolean }): void {
  server.get(ALIVE, (_request, reply) => reply.send({ status: 'OK' }));
  server.get(READY, async (_request, reply) => {
    const mangler = tilstand.stenger ? ['stenger'] : await ikkeKlare(klarhet);
    const klar = mangler.length === 0;
    return reply.code(klar ? 200 : 503).send({ status: klar ? 'OK' : 'IKKE_KLAR', mangler });
  });
  server.get(PROMETHEUS, async (_request, reply) =>
    reply.header('content-type', register.contentType).send(await register.metrics()),
  );
}

async function ikkeKlare(klarhet: Klarhet): Promise<string[]> {
  const svar = await Promise.all(
    Object.entries(klarhet).map(async ([navn, sjekk]) => ((await erKlar(sjekk)) ? [] : [navn])),
  );
  return svar.flat();
}

async function erKlar(sjekk: Klarhet[string]): Promise<boolean> {
  const besvart = new AbortController();
  const frist = vent(FRIST_MS, false, { signal: besvart.signal }).catch(() => false);
  try {
    return await Promise.race([sjekk(), frist]);
  } catch {
    return false;
  } finally {
    besvart.abort();
  }
}
