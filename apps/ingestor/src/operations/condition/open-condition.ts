import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Pool } from 'pg';
import type { Adapter } from '../../adapter/adapter.ts';
import { OPEN_CONDITION_ROUTE } from '../organisasjoner/organisasjoner.ts';
import type { Served } from '../served.ts';
import { readCondition, type Condition } from './condition.queries.ts';

/** Whoever asks more often gets the same again. */
const KEPT_MS = 2_000;

/** Serves how it goes, without figures, to whoever can reach the process: the page of all organisations asks for it. */
export function serveCondition(
  app: NestFastifyApplication,
  { pool, served, adapter }: { pool: Pool; served: Served; adapter: Adapter },
): void {
  const server = app.getHttpAdapter().getInstance() as FastifyInstance;
  let last: { at: number; condition: Promise<Condition> } | undefined;
  server.get(OPEN_CONDITION_ROUTE, async (_request, reply) => {
    if (last === undefined || performance.now() - last.at > KEPT_MS) {
      last = { at: performance.now(), condition: readCondition(pool, served, adapter.syncs.deadlines) };
    }
    const { organisasjon, tilstand, dataOppdatert, lest, sjekker } = await last.condition;
    const short = sjekker.map((check) => ({ kode: check.kode, tilstand: check.tilstand }));
    return reply.send({ organisasjon, lest, tilstand, dataOppdatert, sjekker: short });
  });
}
