import { setTimeout as wait } from 'node:timers/promises';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { commonVariables, ConfigOf } from '../config.ts';
import { measureEventLoop } from '../event-loop.ts';
import { NestLogger } from '../logger.ts';
import { StartupError } from '../startup-error.ts';
import { TokenVerifier, type TokenConfig } from '../tokens/token-verifier.ts';
import { acceptJsonOnly } from './body/json-body.ts';
import { SlowBodies } from './body/slow-body.ts';
import { boundAnswers } from './answers.ts';
import { compressAnswers } from './compress.ts';
import { Connections } from './connections.ts';
import { createFastifyAdapter } from './fastify.ts';
import { ProblemFilter } from './problem.filter.ts';
import { addHealthRoutes, type ReadinessChecks } from './health.ts';
import { addHooks, type Authorize } from './hooks.ts';
import { logResponses } from './access-log.ts';
import { validationPipe } from './validation.ts';

export interface HttpOptions {
  module: DynamicModule;
  config: ConfigOf<typeof commonVariables> & TokenConfig;
  /** Paths that need no token, exact or `/prefix/*`; health and metrics are always open. Everything else needs one. */
  openRoutes: string[];
  /** Tokens of persons are taken too, and the app tells them from those of machines. */
  takesPersons?: boolean;
  readiness: ReadinessChecks;
  /** Who may come with a request on a route that isn't open; its body is read afterwards. */
  authorize?: Authorize;
  /** of time, in which a body must bring its share; 5,000 unless told */
  bodyWindowMs?: number;
  /** that bodies may take while they come, and answers until they are taken, of each all together; 64 and 48 MiB unless told */
  maxBytes?: { bodies?: number; answers?: number };
  /** in which what is under way must be answered when it stops */
  maxStopMs?: number;
  /** whether HEAD is answered wherever GET is, true unless told; health is always */
  withHead?: boolean;
  /** before the routes are made */
  configure?: (app: NestFastifyApplication) => void | Promise<void>;
}

/** The process has 28 s to stop, of which the wait may take 15. */
const MAX_STOP_MS = 18_000;
const MIN_STOP_MS = 5_000;

export interface Http {
  app: NestFastifyApplication;
  /** Tells that it is no longer ready, answers what is under way, and closes. */
  stop: () => Promise<void>;
}

/**
 * Starts HTTP with what every process has: access check, problem+json, call id, access log, metrics, health.
 * @throws StartupError when the port is taken, or the issuers of tokens could be taken for each other
 */
export async function startHttp(options: HttpOptions): Promise<Http> {
  const { config, openRoutes, readiness, authorize, withHead, bodyWindowMs: windowMs = 5_000 } = options;
  const maxSeconds = config.HTTP_FORESPORSEL_SEKUNDER;
  const adapter = createFastifyAdapter({ maxSeconds, withHead });
  const server = adapter.getInstance<FastifyInstance>();
  const state = { closing: false };
  const verifier = new TokenVerifier(config, options);
  const rate = { bytesPerSecond: config.HTTP_MINSTE_BYTE_PER_SEKUND, windowMs, maxMs: maxSeconds * 1_000 };
  const slowBodies = new SlowBodies(server.server, rate);
  const connections = new Connections(server.server, config.HTTP_SVAR_STILLE_SEKUNDER * 1_000);
  server.addHook('preClose', () => connections.waitUntilQuiet());
  addHooks(server, { verifier, openRoutes, state, slowBodies, authorize });
  boundAnswers(server, options.maxBytes?.answers);
  compressAnswers(server);
  logResponses(server);
  measureEventLoop();
  addHealthRoutes(server, readiness, state);

  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: new NestLogger(),
    abortOnError: false,
    // Nest would add a parser of forms.
    bodyParser: false,
  });
  acceptJsonOnly(server, options.maxBytes?.bodies);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  await options.configure?.(app);
  await listen(app, config);
  return {
    app,
    stop: async () => {
      state.closing = true;
      const delayMs = config.NEDSTENGING_VENTETID_MS;
      await wait(delayMs);
      await connections.drain(app.close(), options.maxStopMs ?? Math.max(MIN_STOP_MS, MAX_STOP_MS - delayMs));
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
