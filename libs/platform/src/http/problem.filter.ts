import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { logger } from '../logger.ts';
import type { Problem } from '../problem.ts';
import { leaveUnread } from './body/unread-body.ts';
import { toProblem } from './to-problem.ts';

/** Every error that reaches Nest, Fastify's own among them, as problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    answerError(host.switchToHttp().getResponse<FastifyReply>(), error);
  }
}

/** Also on the routes that Nest knows nothing of. */
export function answerError(reply: FastifyReply, error: unknown): void {
  const problem = toProblem(error);
  // What is answered on purpose was logged, where worth it, by the one who knew why.
  if (problem.problemType.status === 500) logger.error({ err: problem.extras.cause ?? error }, problem.detail);
  sendProblem(reply, problem);
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (reply.sent) return;
  leaveUnread(reply);
  void reply.status(problem.problemType.status).headers(problem.headers).send(problem.toJson());
}
