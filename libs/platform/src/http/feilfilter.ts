import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { logg } from '../logg.ts';
import type { Problem } from '../problem.ts';
import { oversett } from './oversett.ts';

/** Every error that reaches Nest, Fastify's own among them, as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(feil: unknown, host: ArgumentsHost): void {
    const problem = oversett(feil);
    // What is answered on purpose was logged, where worth it, by the one who knew why.
    if (problem.feilkode.status === 500) logg.error({ err: problem.tillegg.cause ?? feil }, problem.detail);
    svarMed(host.switchToHttp().getResponse<FastifyReply>(), problem);
  }
}

export function svarMed(reply: FastifyReply, problem: Problem): void {
  if (reply.sent) return;
  void reply.status(problem.feilkode.status).headers(problem.hoder).send(problem.tilJson());
}
