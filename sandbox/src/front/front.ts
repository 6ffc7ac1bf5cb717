import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline, Transform } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { PROBLEMS, Problem } from '@tiltak/platform';
import { operationOf, type Operation } from '../process/operations.ts';
import type { Faults } from './faults.ts';
import { plannedProblem } from './problem.ts';

/** Where requests go on to. */
export interface Behind {
  queryApi: string;
  control: string;
  operations: readonly Operation[];
}

/** Answered here, and by nobody behind. */
export type OwnRoute = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface Front {
  port: number;
  /** Requests go through from now on; until then they are answered with 503. */
  open: (behind: Behind) => void;
  stop: () => Promise<void>;
}

/** Said in a sentence, and without a stack. */
class PortTakenError extends Error {
  readonly startupError = true;
}

/** The control API, and what belongs to it; all else is the query-api's. */
const CONTROL = /^\/sandkasse(\/|$)/;

/**
 * The one address of the sandbox. What the query-api answers goes through as it is, but for the faults that were asked for:
 * they are made here, outside the product.
 *
 * @param routes by method and path
 * @throws PortTakenError
 */
export async function startFront(
  { port, host }: { port: number; host: string },
  faults: Faults,
  routes: Readonly<Record<string, OwnRoute>>,
): Promise<Front> {
  let behind: Behind | undefined;
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    void answer(request, response, { behind, faults, routes, agent }).catch(() => response.destroy());
  });
  // An export, and a reader that waits for a change, take their time.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  const listening = once(server, 'listening');
  server.listen(port, host);
  await listening.catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new PortTakenError(`Port ${String(port)} is taken by another process: choose one with --port`);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    open: (opened) => (behind = opened),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}

interface Routing {
  behind: Behind | undefined;
  faults: Faults;
  routes: Readonly<Record<string, OwnRoute>>;
  agent: Agent;
}

async function answer(request: IncomingMessage, response: ServerResponse, routing: Routing): Promise<void> {
  const { behind, faults, routes, agent } = routing;
  const { method = 'GET', url: target = '/' } = request;
  const own = routes[`${method} ${target.split('?', 1)[0] ?? ''}`];
  if (own) return own(request, response);
  if (!behind) return answerProblem(request, response, STARTING);
  if (CONTROL.test(target)) return forward(request, response, { to: behind.control, agent });
  const operation = operationOf(behind.operations, method, target);
  const fault = operation && faults.take(operation.id);
  if (!fault) return forward(request, response, { to: behind.queryApi, agent });
  if (fault.delayMs > 0) await wait(fault.delayMs);
  if (response.destroyed) return;
  if (fault.status !== undefined) {
    return answerProblem(request, response, plannedProblem(fault.status, fault.retryAfter));
  }
  return forward(request, response, { to: behind.queryApi, agent, cutAfterBytes: fault.cutAfterBytes });
}

const STARTING = new Problem(PROBLEMS.UTILGJENGELIG, 'The sandbox is starting', { retryAfter: 1 });

function answerProblem(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const given = request.headers['nav-call-id'];
  const callId = typeof given === 'string' ? given : randomUUID();
  request.resume();
  response
    .writeHead(problem.problemType.status, { ...problem.headers, 'Nav-Call-Id': callId })
    .end(JSON.stringify({ ...problem.toJson(), callId }));
}

interface Forwarding {
  to: string;
  agent: Agent;
  cutAfterBytes?: number | undefined;
}

/** As it came, and back as it was answered: status, headers and bytes. */
function forward(request: IncomingMessage, response: ServerResponse, { to, agent, cutAfterBytes }: Forwarding): void {
  const { hostname, port } = new URL(to);
  const { method, url: path, rawHeaders: headers } = request;
  const upstream = ask({ hostname, port, method, path, headers, agent });
  upstream.once('response', (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
    response.flushHeaders();
    // Whoever is behind may break off, and so may the client: the other is told in the same way.
    const done = (): void => undefined;
    if (cutAfterBytes === undefined) pipeline(answered, response, done);
    else
      pipeline(
        answered,
        cutAfter(cutAfterBytes, () => response.destroy()),
        response,
        done,
      );
  });
  upstream.once('error', () => {
    if (response.headersSent) response.destroy();
    else answerProblem(request, response, new Problem(PROBLEMS.UTILGJENGELIG, 'The query-api does not answer'));
  });
  response.once('close', () => upstream.destroy());
  pipeline(request, upstream, () => undefined);
}

/** Passes on so many bytes, and breaks off when they have had time to leave. */
function cutAfter(bytes: number, cut: () => void): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length > 0) this.push(part);
      if (left > 0) done();
      else setTimeout(cut, 20);
    },
  });
}
