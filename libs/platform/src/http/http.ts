import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { TokenVerifier } from '../auth.ts';
import type { entraVariables, commonVariables, ConfigOf } from '../config.ts';
import { NestLogger } from '../logger.ts';
import { StartupError } from '../startup-error.ts';
import { acceptJsonOnly } from './body/json-body.ts';
import { SlowBodies } from './body/slow-body.ts';
import { createFastifyAdapter } from './fastify.ts';
import { ProblemFilter } from './problem.filter.ts';
import { addHealthRoutes, type ReadinessChecks } from './health.ts';
import { addHooks, type Authorize } from './hooks.ts';
import { logResponses } from './access-log.ts';
import { validationPipe } from './validation.ts';

export interface HttpOptions {
  module: DynamicModule;
  config: ConfigOf<typeof commonVariables & typeof entraVariables>;
  /** Paths that need no token, exact or `/prefix/*`; health and metrics are always open. Everything else needs one. */
  openRoutes: string[];
  /** Tokens of persons are taken too, and the app tells them from those of machines. */
  takesPersons?: boolean;
  readiness: ReadinessChecks;
  /** Who may come with a request on a route that isn't open; its body is read afterwards. */
  authorize?: Authorize;
  /** of time, in which a body must bring its share; 5,000 unless told */
  bodyWindowMs?: number;
  /** in which a request must have come whole, 30 unless told */
  maxSeconds?: number;
  /** whether HEAD is answered wherever GET is, true unless told; health is always */
  withHead?: boolean;
  /** before the routes are made */
  configure?: (app: NestFastifyApplication) => void | Promise<void>;
}

export interface Http {
  app: NestFastifyApplication;
  /** Tells that it is no longer ready, answers what is under way, and closes. */
  stop: () => Promise<void>;
}

/**
 * Starts HTTP with what every process has: access check, problem+json, call id, access log, metrics, health.
 * @throws StartupError when the port is taken
 */
export async function startHttp(options: HttpOptions): Promise<Http> {
  const { config, openRoutes, readiness, authorize, bodyWindowMs: windowMs = 5_000 } = options;
  const adapter = createFastifyAdapter(options);
  const server = adapter.getInstance<FastifyInstance>();
  const state = { closing: false };
  const verifier = new TokenVerifier({
    issuer: config.AZURE_OPENID_CONFIG_ISSUER,
    audience: config.AZURE_APP_CLIENT_ID,
    jwksUri: config.AZURE_OPENID_CONFIG_JWKS_URI,
    takesPersons: options.takesPersons,
  });
  const slowBodies = new SlowBodies({ bytesPerSecond: config.HTTP_MINSTE_BYTE_PER_SEKUND, windowMs });
  const sockets = trackSockets(server.server);
  addHooks(server, { verifier, openRoutes, state, slowBodies, authorize });
  logResponses(server);
  addHealthRoutes(server, readiness, state);

  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: new NestLogger(),
    abortOnError: false,
    // Nest would add a parser of forms.
    bodyParser: false,
  });
  acceptJsonOnly(server);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  await options.configure?.(app);
  await listen(app, config);
  return {
    app,
    stop: async () => {
      state.closing = true;
      await wait(config.NEDSTENGING_VENTETID_MS);
      await close(app, sockets);
      slowBodies.stop();
    },
  };
}

async function listen(app: NestFastifyApplication, { PORT, HOST }: HttpOptions['config']): Promise<void> {
  try {
    await app.listen(PORT, HOST);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new StartupError(`PORT ${String(PORT)} on ${HOST} is taken by another process`);
  }
}

/**
 * A connection whose request was under way when the server began to close is idle afterwards, and would hold it open. So
 * would one on which nothing was ever asked, which Node does not count as idle: clients and balancers open them ahead.
 */
async function close(app: NestFastifyApplication, sockets: ReadonlySet<Socket>): Promise<void> {
  const cleanup = setInterval(() => {
    app.getHttpServer().closeIdleConnections();
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }, 100);
  try {
    await app.close();
  } finally {
    clearInterval(cleanup);
  }
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}
