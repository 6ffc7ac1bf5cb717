import { randomUUID } from 'node:crypto';
import { setTimeout as vent } from 'node:timers/promises';
import { Catch, type ArgumentsHost, type ExceptionFilter, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Histogram, register } from 'prom-client';
import { TokenVerifiserer, type Token } from './auth.ts';
import type { entra, felles, Konfigurasjon } from './config.ts';
import { Oppstartsfeil } from './oppstartsfeil.ts';
import { iKontekst, type Kontekst } from './kontekst.ts';
import { logg, NestLogg } from './logg.ts';
import { oversett } from './oversett.ts';
import { fellesFeil, Problem } from './problem.ts';
import { avvisForDyp, valideringPipe } from './validering.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** set on every route that isn't open */
    token?: Token;
  }
}

export interface Httpvalg {
  modul: DynamicModule;
  konfig: Konfigurasjon<typeof felles & typeof entra>;
  /** Paths that need no token, exact or `/prefix/*`; `/internal/*` is always open. Everything else needs one. */
  apneRuter: string[];
  /** What must answer true for the process to be ready. */
  klarhet: Record<string, () => boolean | Promise<boolean>>;
  /** before the routes are made */
  konfigurer?: (app: NestFastifyApplication) => void | Promise<void>;
}

export interface Http {
  app: NestFastifyApplication;
  /** Tells that it is no longer ready, answers what is under way, and closes. */
  stopp: () => Promise<void>;
}

/** Starts HTTP with what every process has: access check, problem+json, call id, access log, metrics, health. */
export async function startHttp(valg: Httpvalg): Promise<Http> {
  const { HOST, PORT, NEDSTENGING_VENTETID_MS } = valg.konfig;
  const adapter = lagAdapter();
  const server = adapter.getInstance() as unknown as FastifyInstance;
  const tilstand = { stenger: false };
  const metoder = samleMetoder(server);
  leggTilKroker(server, valg, metoder);
  leggTilInternt(server, valg, tilstand);

  const app = await NestFactory.create<NestFastifyApplication>(valg.modul, adapter, {
    logger: new NestLogg(),
    abortOnError: false,
    // Nest would add a parser of forms; Fastify's own reads JSON, and text, which nothing here takes.
    bodyParser: false,
  });
  server.removeContentTypeParser('text/plain');
  app.useGlobalPipes(valideringPipe());
  app.useGlobalFilters(new ProblemFilter());
  await valg.konfigurer?.(app);
  try {
    await app.listen(PORT, HOST);
  } catch (feil) {
    if ((feil as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw feil;
    throw new Oppstartsfeil(`PORT ${String(PORT)} on ${HOST} is taken by another process`);
  }
  return {
    app,
    stopp: async () => {
      tilstand.stenger = true;
      await vent(NEDSTENGING_VENTETID_MS);
      await app.close();
    },
  };
}

function lagAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    logger: false,
    bodyLimit: 1024 * 1024,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    // Before any hook: a URL that can't be decoded, for instance.
    frameworkErrors: (feil: Error, request: FastifyRequest, reply: FastifyReply) => {
      const kontekst = nyKontekst(request);
      iKontekst(kontekst, () => svarMed(reply.header('Nav-Call-Id', kontekst.callId), oversett(feil)));
    },
    clientErrorHandler: (feil, socket) => {
      const status = feil.code === 'HPE_HEADER_OVERFLOW' ? 431 : feil.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
      const problem = oversett({ statusCode: status });
      const body = iKontekst({ callId: nyCallId() }, () => JSON.stringify(problem.tilJson()));
      if (!socket.writable) return;
      socket.end(
        `HTTP/1.1 ${String(status)} ${problem.feilkode.tittel}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
          `Content-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n${body}`,
      );
    },
  });
}

function leggTilKroker(server: FastifyInstance, { konfig, apneRuter }: Httpvalg, metoder: Metoder): void {
  const verifiserer = new TokenVerifiserer({
    issuer: konfig.AZURE_OPENID_CONFIG_ISSUER,
    audience: konfig.AZURE_APP_CLIENT_ID,
    jwksUri: konfig.AZURE_OPENID_CONFIG_JWKS_URI,
  });
  server.addHook('onRequest', (request, reply, ferdig) => {
    const kontekst = nyKontekst(request);
    reply.headers({ 'Nav-Call-Id': kontekst.callId, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' });
    iKontekst(kontekst, ferdig);
  });
  server.addHook('onRequest', async (request) => {
    if (erApen(request.url, apneRuter)) return;
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined)
      throw new Problem(fellesFeil.MANGLER_TOKEN, 'The header Authorization must hold a Bearer token');
    request.token = await verifiserer.verifiser(token);
    // Here, and not after the body has been read for nothing.
    if (request.is404) throw ikkeFunnet(metoder, request.url);
    if (!godtarJson(request.headers.accept)) {
      throw new Problem(fellesFeil.IKKE_AKSEPTABELT, 'Only application/json is offered');
    }
  });
  server.addHook('preValidation', async (request) => {
    avvisForDyp(request.body);
  });
  server.addHook('onResponse', (request, reply, ferdig) => {
    noter(request, reply);
    ferdig();
  });
}

function erApen(url: string, apneRuter: string[]): boolean {
  const [sti = ''] = url.split('?', 1);
  return ['/internal/*', ...apneRuter].some((rute) =>
    rute.endsWith('/*') ? sti.startsWith(rute.slice(0, -1)) : sti === rute,
  );
}

function godtarJson(accept: string | undefined): boolean {
  if (!accept) return true;
  return accept.split(',').some((del) => /^\s*(\*\/\*|application\/(\*|json|problem\+json))\s*(;|$)/i.test(del));
}

const w3c = new W3CTraceContextPropagator();

function nyKontekst({ headers }: FastifyRequest): Kontekst {
  const callId = [headers['nav-call-id'], headers['nav-callid'], headers['x-correlation-id']].find(erCallId);
  const spor = w3c.extract(ROOT_CONTEXT, headers, {
    get: (baerer: Record<string, string | string[] | undefined>, navn) => baerer[navn],
    keys: (baerer) => Object.keys(baerer),
  });
  const span = trace.getSpanContext(spor);
  return { callId: callId ?? nyCallId(), traceId: span?.traceId, spanId: span?.spanId };
}

/** One in a hundred UUIDs would look as if it held a national ident. */
function nyCallId(): string {
  for (;;) {
    const id = randomUUID();
    if (erCallId(id)) return id;
  }
}

/** It goes into every log line, so it must not be something else than an id. */
function erCallId(verdi: unknown): verdi is string {
  return typeof verdi === 'string' && /^[A-Za-z0-9._:-]{1,100}$/.test(verdi) && !/\d{11}/.test(verdi);
}

const varighet = new Histogram({
  name: 'http_server_requests_seconds',
  help: 'Time to answer, by route',
  labelNames: ['metode', 'rute', 'status'] as const,
  buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});
collectDefaultMetrics();

/** The route and never the URL, which is the caller's text. */
function noter(request: FastifyRequest, reply: FastifyReply): void {
  const rute = request.routeOptions.url ?? 'unknown';
  const status = reply.statusCode;
  varighet.observe({ metode: request.method, rute, status }, reply.elapsedTime / 1000);
  const nivaa = rute.startsWith('/internal/') ? 'debug' : 'info';
  logg[nivaa](
    { metode: request.method, rute, status, ms: Math.round(reply.elapsedTime * 10) / 10, azp: request.token?.azp },
    'Answered',
  );
}

function leggTilInternt(server: FastifyInstance, { klarhet }: Httpvalg, tilstand: { stenger: boolean }): void {
  server.get('/internal/isalive', (_request, reply) => reply.send({ status: 'OK' }));
  server.get('/internal/isready', async (_request, reply) => {
    const mangler = tilstand.stenger ? ['stenger'] : await ikkeKlare(klarhet);
    return reply
      .code(mangler.length > 0 ? 503 : 200)
      .send({ status: mangler.length > 0 ? 'IKKE_KLAR' : 'OK', mangler });
  });
  server.get('/internal/prometheus', async (_request, reply) =>
    reply.header('content-type', register.contentType).send(await register.metrics()),
  );
}

async function ikkeKlare(klarhet: Httpvalg['klarhet']): Promise<string[]> {
  const svar = await Promise.all(
    Object.entries(klarhet).map(async ([navn, sjekk]) => {
      const klar = await Promise.resolve(sjekk()).catch(() => false);
      return klar ? [] : [navn];
    }),
  );
  return svar.flat();
}

type Metoder = { metode: string; url: string; sti: RegExp }[];

/** Which methods each path has, for 405: the router itself only says that it found nothing. */
function samleMetoder(server: FastifyInstance): Metoder {
  const metoder: Metoder = [];
  server.addHook('onRoute', ({ method, url }) => {
    if (url.includes('*')) return;
    const sti = new RegExp(`^${url.replace(/:[A-Za-z]+/g, '[^/]+')}/?$`);
    for (const metode of [method].flat()) metoder.push({ metode, url, sti });
  });
  return metoder;
}

function ikkeFunnet(metoder: Metoder, url: string): Problem {
  const [sti = ''] = url.split('?', 1);
  // The router prefers a path as it stands to one with parameters.
  const likt = metoder.filter((rute) => rute.url === sti);
  const passer = likt.length > 0 ? likt : metoder.filter((rute) => rute.sti.test(sti));
  const tillatt = [...new Set(passer.map(({ metode }) => metode))];
  if (tillatt.length === 0) return new Problem(fellesFeil.FINNES_IKKE, 'There is nothing here');
  return new Problem(fellesFeil.METODE_IKKE_TILLATT, 'The method is not offered here', {
    hoder: { allow: tillatt.join(', ') },
  });
}

/** Every error that reaches Nest or Fastify, as problem+json. */
@Catch()
class ProblemFilter implements ExceptionFilter {
  catch(feil: unknown, host: ArgumentsHost): void {
    const problem = oversett(feil);
    if (problem.feilkode.status >= 500) logg.error({ err: problem.tillegg.cause ?? feil }, problem.detail);
    svarMed(host.switchToHttp().getResponse<FastifyReply>(), problem);
  }
}

function svarMed(reply: FastifyReply, problem: Problem): void {
  if (reply.sent) return;
  void reply.status(problem.feilkode.status).headers(problem.hoder).send(problem.tilJson());
}
