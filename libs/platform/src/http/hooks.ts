import { Readable } from 'node:stream';
import accepts from '@fastify/accepts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { runInContext } from '../request-context.ts';
import { PROBLEMS, Problem } from '../problem.ts';
import type { Token } from '../tokens/token.ts';
import type { TokenVerifier } from '../tokens/token-verifier.ts';
import type { SlowBodies } from './body/slow-body.ts';
import { HEALTH_ROUTES } from './health.ts';
import { createContext, DEFAULT_HEADERS } from './request-headers.ts';
import { collectMethods, requireClearHeaders } from './target.ts';
import { refuseDangerous } from './validation.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** set on every route that isn't open */
    token?: Token;
  }
  interface FastifyContextConfig {
    /** what a route can answer with, when it is not JSON only */
    mediaTypes?: string[];
  }
}

interface HookOptions {
  verifier: TokenVerifier;
  openRoutes: string[];
  state: { closing: boolean };
  slowBodies: SlowBodies;
  authorize: Authorize | undefined;
}

/** Decides by the token and the route alone: nothing of the body has been read. @throws Problem */
export type Authorize = (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>;

/** What happens to every request before its handler: context, access, and whether it can be answered at all. */
export function addHooks(server: FastifyInstance, options: HookOptions): void {
  const { verifier, openRoutes, state, slowBodies, authorize } = options;
  const notFound = collectMethods(server);
  server.register(accepts);

  server.addHook('onRequest', (request, reply, done) => {
    const context = createContext(request.headers);
    reply.headers(DEFAULT_HEADERS).header('Nav-Call-Id', context.callId);
    // So that clients have moved to another process when this one closes.
    if (state.closing) reply.header('Connection', 'close');
    slowBodies.routed(request, reply);
    runInContext(context, done);
  });
  const isOpen = openRoutesOf([...HEALTH_ROUTES, ...openRoutes]);
  // Errors here come before the body has been read for nothing.
  const admit = (request: FastifyRequest, reply: FastifyReply, isOpenRoute: boolean): void | Promise<void> => {
    if (request.is404) throw notFound(request.url);
    if (isInternal(request) && request.headers['x-forwarded-host'] !== undefined)
      throw new Problem(PROBLEMS.FINNES_IKKE, 'There is nothing here');
    if (isOpenRoute) return undefined;
    negotiate(request);
    return authorize?.(request, reply);
  };
  server.addHook(
    'onRequest',
    asHook((request, reply) => {
      requireClearHeaders(request);
      if (isOpen(request)) return admit(request, reply, true);
      const text = bearer(request);
      const known = verifier.known(text);
      if (known) {
        request.token = known;
        return admit(request, reply, false);
      }
      return verifier.verify(text).then((token) => {
        request.token = token;
        return admit(request, reply, false);
      });
    }),
  );
  // From here on the body is wanted.
  server.addHook('preParsing', (request, reply, payload, done) => {
    const { expect } = request.headers;
    if (expect !== undefined && /^100-continue$/i.test(expect)) reply.raw.writeContinue();
    slowBodies.want(request);
    done(null, payload);
  });
  server.addHook(
    'preValidation',
    asHook(({ body }) => {
      // Who takes a stream looks at what comes in it.
      if (!(body instanceof Readable)) refuseDangerous(body);
    }),
  );
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

/** What throws, or may have to wait: as good as always it need not, and a promise for nothing costs each request a turn. */
function asHook(work: (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>): Hook {
  return (request, reply, done) => {
    let waiting: void | Promise<void>;
    try {
      waiting = work(request, reply);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (waiting === undefined) done();
    else waiting.then(() => done(), done);
  };
}

/**
 * What the platform asks for, and other apps of ours: without a token, so for nobody who comes from outside of the cluster.
 * Whoever passes a request on from there says for which host it was, and overwrites what the caller said.
 */
const isInternal = ({ routeOptions: { url } }: FastifyRequest): boolean => url?.startsWith('/internal/') === true;

/** By the route that the router found, whatever the client wrote to come to it. */
function openRoutesOf(open: readonly string[]): (request: FastifyRequest) => boolean {
  const exact = new Set(open.filter((route) => !route.endsWith('/*')));
  const prefixes = open.filter((route) => route.endsWith('/*')).map((route) => route.slice(0, -1));
  return ({ routeOptions: { url: found } }) =>
    found !== undefined && (exact.has(found) || prefixes.some((prefix) => found.startsWith(prefix)));
}

function bearer({ headers }: FastifyRequest): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token !== undefined) return token;
  throw new Problem(PROBLEMS.MANGLER_TOKEN, 'The header Authorization must hold a Bearer token');
}

/** @throws Problem 406 when what the route answers with is not accepted, 415 when the body says that it is something else than UTF-8 as it stands */
function negotiate(request: FastifyRequest): void {
  const { mediaTypes = JSON_ONLY } = request.routeOptions.config;
  if (!isAcceptable(request, mediaTypes))
    throw new Problem(PROBLEMS.IKKE_AKSEPTABELT, `Only ${mediaTypes.join(' or ')} is offered`);
  const { headers } = request;
  if (headers['content-type'] === 'application/json' && headers['content-encoding'] === undefined) return;
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  const encoding = headers['content-encoding'] ?? 'identity';
  if (!/^utf-?8$/i.test(charset) || encoding.toLowerCase() !== 'identity') {
    throw new Problem(PROBLEMS.FEIL_MEDIETYPE, 'The body must be application/json in UTF-8, not compressed');
  }
}

const JSON_ONLY = ['application/json'];
/** As good as all clients that want JSON write one of these. */
const ALL_OR_JSON: ReadonlySet<string | undefined> = new Set([undefined, '*/*', 'application/json']);

/** A type that is named is also accepted with parameters, `charset` or any other, and problems are answers too. */
function isAcceptable(request: FastifyRequest, mediaTypes: string[]): boolean {
  if (mediaTypes === JSON_ONLY && ALL_OR_JSON.has(request.headers.accept)) return true;
  if (request.type(mediaTypes) !== false) return true;
  const named = [request.types()].flat().map((type) => String(type).toLowerCase());
  return [...mediaTypes, 'application/problem+json'].some((type) => named.includes(type));
}
