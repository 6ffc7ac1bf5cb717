import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { runInContext } from '../request-context.ts';
import { logger } from '../logger.ts';
import { PROBLEMS, Problem } from '../problem.ts';
import { endSoon } from './body/unread-body.ts';
import { answerError, sendProblem } from './problem.filter.ts';
import { newCallId, createContext, DEFAULT_HEADERS } from './request-headers.ts';
import { toPath } from './target.ts';
import { toProblem } from './to-problem.ts';

const MAX_BODY = 1024 * 1024;
/** Between two looks at connections whose headers don't come. */
const CHECK_MS = 1_000;

/**
 * Fastify, with every answer that it gives before or beside Nest as problem+json.
 *
 * @param options `maxSeconds` in which the headers of a request must have come; its body is watched by `SlowBodies`. Whether HEAD is answered wherever GET is
 */
export function createFastifyAdapter({ maxSeconds = 30, withHead = true } = {}): FastifyAdapter {
  const adapter = new FastifyAdapter({
    exposeHeadRoutes: withHead,
    logger: false,
    // Nothing here is middleware of that kind, and each request would pass its hook.
    skipMiddie: true,
    bodyLimit: MAX_BODY,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    // To close takes as long as what is under way.
    pluginTimeout: 0,
    // What comes in while the server closes is answered as usual, and its connection closed.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    // Node would answer a request without Host itself, with nothing; a hook here refuses it.
    // Node looks at what comes too slowly twice a minute, unless told.
    http: {
      requireHostHeader: false,
      headersTimeout: maxSeconds * 1_000,
      requestTimeout: 0,
      connectionsCheckingInterval: CHECK_MS,
    },
    // Nest passes `GET *path` by every hook.
    rewriteUrl: ({ url = '/' }) => toPath(url),
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => refuseUrl(error, request, reply),
    clientErrorHandler: refuseConnection,
  });
  const server = adapter.getInstance<FastifyInstance>();
  // Also of the routes that Nest knows nothing of.
  server.addHook('onRoute', (route) => {
    route.errorHandler ??= (error, _request, reply) => answerError(reply, error);
  });
  // Node would close the connection, with nothing.
  server.server.on('connect', (_request, socket: Socket) => refuse(socket, NO_TUNNEL));
  // Node would answer 417 itself, with nothing.
  server.server.on('checkExpectation', (request, response) => server.routing(request, response));
  // Node would ask for the body at once; a hook asks, once it is wanted.
  server.server.on('checkContinue', (request, response) => server.routing(request, response));
  return adapter;
}

/** A URL that the router can't read, before any hook. */
function refuseUrl(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const context = createContext(request.headers);
  runInContext(context, () => {
    const problem = toProblem(error);
    logger.info({ metode: request.method, status: problem.problemType.status }, 'Refused before routing');
    sendProblem(reply.headers({ ...DEFAULT_HEADERS, 'Nav-Call-Id': context.callId }), problem);
  });
}

const BY_CODE: Record<string, Problem> = {
  HPE_HEADER_OVERFLOW: toProblem({ statusCode: 431 }),
  ERR_HTTP_REQUEST_TIMEOUT: toProblem({ statusCode: 408 }),
};
const NOT_HTTP = new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid HTTP');
const NO_TUNNEL = new Problem(PROBLEMS.METODE_IKKE_TILLATT, 'CONNECT is not offered', {
  headers: { allow: 'GET, POST' },
});

/** What is not an HTTP request, or not a whole one in time. */
function refuseConnection(error: ConnectionError, socket: Socket): void {
  refuse(socket, BY_CODE[error.code] ?? NOT_HTTP);
}

/** On a connection that has no request which could be answered. */
function refuse(socket: Socket, problem: Problem): void {
  if (!socket.writable) return;
  const { status, title } = problem.problemType;
  const callId = newCallId();
  const body = runInContext({ callId }, () => {
    logger.info({ status }, 'Refused before it was a request');
    return JSON.stringify(problem.toJson());
  });
  const headers = {
    ...DEFAULT_HEADERS,
    ...problem.headers,
    'Nav-Call-Id': callId,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  endSoon(socket, `HTTP/1.1 ${String(status)} ${title}\r\n${lines.join('')}\r\n${body}`);
}
