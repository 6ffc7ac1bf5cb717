import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { ConnectionError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { iKontekst } from '../kontekst.ts';
import { logg } from '../logg.ts';
import { fellesFeil, Problem } from '../problem.ts';
import { svarMed } from './feilfilter.ts';
import { nyCallId, nyKontekst, STANDARDHODER } from './kontekst.ts';
import { oversett } from './oversett.ts';

const MAKS_BODY = 1024 * 1024;

/**
 * Fastify, with every answer that it gives before or beside Nest as problem+json.
 *
 * @param maksSekunder in which a request must have come whole
 */
export function lagAdapter({ maksSekunder = 30 } = {}): FastifyAdapter {
  const adapter = new FastifyAdapter({
    logger: false,
    bodyLimit: MAKS_BODY,
    requestTimeout: maksSekunder * 1_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    // What comes in while the server closes is answered as usual, and its connection closed.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    // Node would answer a request without Host itself, with nothing; a hook here refuses it.
    http: { requireHostHeader: false },
    // Nest passes `GET *path` by every hook.
    rewriteUrl: ({ url = '/' }) => (/^(\/|https?:\/\/)/i.test(url) ? url : `/${url}`),
    frameworkErrors: (feil: Error, request: FastifyRequest, reply: FastifyReply) => avvisUrl(feil, request, reply),
    clientErrorHandler: avvisForbindelse,
  });
  const server = adapter.getInstance() as unknown as FastifyInstance;
  // Node would answer 417 itself, with nothing.
  server.server.on('checkExpectation', (request, svar) => server.routing(request, svar));
  return adapter;
}

/** A URL that the router can't read, before any hook. */
function avvisUrl(feil: Error, request: FastifyRequest, reply: FastifyReply): void {
  const kontekst = nyKontekst(request.headers);
  iKontekst(kontekst, () => {
    const problem = oversett(feil);
    logg.info({ metode: request.method, status: problem.feilkode.status }, 'Refused before routing');
    svarMed(reply.headers({ ...STANDARDHODER, 'Nav-Call-Id': kontekst.callId }), problem);
  });
}

const PER_KODE: Record<string, Problem> = {
  HPE_HEADER_OVERFLOW: oversett({ statusCode: 431 }),
  ERR_HTTP_REQUEST_TIMEOUT: oversett({ statusCode: 408 }),
};
const IKKE_HTTP = new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The request is not valid HTTP');

/** What is not an HTTP request, or not a whole one in time. */
function avvisForbindelse(feil: ConnectionError, socket: Socket): void {
  if (!socket.writable) return;
  const problem = PER_KODE[feil.code] ?? IKKE_HTTP;
  const { status, tittel } = problem.feilkode;
  const callId = nyCallId();
  const body = iKontekst({ callId }, () => {
    logg.info({ status }, 'Refused before it was a request');
    return JSON.stringify(problem.tilJson());
  });
  const hoder = {
    ...STANDARDHODER,
    ...problem.hoder,
    'Nav-Call-Id': callId,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const linjer = Object.entries(hoder).map(([navn, verdi]) => `${navn}: ${verdi}\r\n`);
  socket.end(`HTTP/1.1 ${String(status)} ${tittel}\r\n${linjer.join('')}\r\n${body}`);
}

/** Bodies are JSON in UTF-8 and nothing else; bytes that aren't UTF-8 would silently become other text. */
export function lesBareJson(server: FastifyInstance): void {
  const lesJson = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, ferdig) => {
    if (isUtf8(body)) return lesJson(request, body.toString('utf8'), ferdig);
    ferdig(new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The body is not UTF-8'));
  });
}
