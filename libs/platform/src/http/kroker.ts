import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Token, TokenVerifiserer } from '../auth.ts';
import { iKontekst } from '../kontekst.ts';
import { fellesFeil, Problem } from '../problem.ts';
import { HELSERUTER } from './helse.ts';
import { nyKontekst, STANDARDHODER } from './kontekst.ts';
import { samleMetoder } from './metoder.ts';
import { avvisFarlig } from './validering.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** set on every route that isn't open */
    token?: Token;
  }
  interface FastifyContextConfig {
    /** what a route can answer with, when it is not JSON only */
    medietyper?: string[];
  }
}

interface Krokvalg {
  verifiserer: TokenVerifiserer;
  apneRuter: string[];
  tilstand: { stenger: boolean };
}

/** What happens to every request before its handler: context, access, and whether it can be answered at all. */
export function leggTilKroker(server: FastifyInstance, { verifiserer, apneRuter, tilstand }: Krokvalg): void {
  const ikkeFunnet = samleMetoder(server);
  const apne = [...HELSERUTER, ...apneRuter];

  server.addHook('onRequest', (request, reply, ferdig) => {
    const kontekst = nyKontekst(request.headers);
    reply.headers({ ...STANDARDHODER, 'Nav-Call-Id': kontekst.callId });
    // So that clients have moved to another process when this one closes.
    if (tilstand.stenger) reply.header('Connection', 'close');
    iKontekst(kontekst, ferdig);
  });
  // Errors here come before the body has been read for nothing.
  server.addHook('onRequest', async (request) => {
    const apen = erApen(request.url, apne);
    if (!apen) request.token = await verifiserer.verifiser(bearer(request));
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The header Host is missing');
    }
    if (request.is404) throw ikkeFunnet(request.url);
    if (!apen) forhandle(request);
  });
  server.addHook('preValidation', async (request) => {
    // Who takes a stream looks at what comes in it.
    if (!(request.body instanceof Readable)) avvisFarlig(request.body);
  });
}

function erApen(url: string, apne: string[]): boolean {
  const [sti = ''] = url.split('?', 1);
  return apne.some((rute) => (rute.endsWith('/*') ? sti.startsWith(rute.slice(0, -1)) : sti === rute));
}

function bearer({ headers }: FastifyRequest): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token !== undefined) return token;
  throw new Problem(fellesFeil.MANGLER_TOKEN, 'The header Authorization must hold a Bearer token');
}

/** @throws Problem 406 when what the route answers with is not accepted, 415 when the body says that it is something else than UTF-8 as it stands */
function forhandle({ headers, routeOptions }: FastifyRequest): void {
  const { medietyper = ['application/json'] } = routeOptions.config;
  if (!medietyper.some((medietype) => godtar(headers.accept, medietype)))
    throw new Problem(fellesFeil.IKKE_AKSEPTABELT, `Only ${medietyper.join(' or ')} is offered`);
  const [, tegnsett = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  const koding = headers['content-encoding'] ?? 'identity';
  if (!/^utf-?8$/i.test(tegnsett) || koding.toLowerCase() !== 'identity') {
    throw new Problem(fellesFeil.FEIL_MEDIETYPE, 'The body must be application/json in UTF-8, not compressed');
  }
}

function godtar(accept: string | undefined, medietype: string): boolean {
  if (!accept) return true;
  return accept.split(',').some((del) => {
    const [type = '', ...parametre] = del.split(';').map((tekst) => tekst.trim().toLowerCase());
    const [gruppe = ''] = medietype.split('/');
    return (
      ['*/*', `${gruppe}/*`, medietype, 'application/problem+json'].includes(type) &&
      !parametre.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    );
  });
}
