import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CSS, directoryOfPages, HTML, JS, serveDocuments, servePage } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';
import type { Freshness } from '../freshness/freshness.ts';

/** What anybody may read: what this is, how fresh it is now, and the documents. None of it tells of an avtale. */
export const FRONT_PAGE_ROUTES = ['/', '/forside/*', '/dokumentasjon/*'];

interface FrontPage {
  organisasjon: string;
  freshness: Freshness;
  /** whether the page may ask for itself, with a token of the local stack */
  isLocal: boolean;
}

const FILES: Record<string, { file: string; type: string }> = {
  '/': { file: 'forside.html', type: HTML },
  '/forside/forside.css': { file: 'forside.css', type: CSS },
  '/forside/forside.js': { file: 'forside.js', type: JS },
  '/forside/spor.js': { file: 'spor.js', type: JS },
  '/forside/kode.js': { file: 'kode.js', type: JS },
  '/forside/innspilt.json': { file: 'innspilt.json', type: 'application/json; charset=utf-8' },
};

/** Serves the page that one meets first. How fresh the data is, is what the process knows: nothing is asked for it. */
export function serveFrontPage(server: FastifyInstance, { organisasjon, freshness, isLocal }: FrontPage): void {
  const directory = directoryOfPages(import.meta.dirname);
  servePage(
    server,
    Object.fromEntries(
      Object.entries(FILES).map(([route, { file, type }]) => [
        route,
        { type, content: readFileSync(join(directory, 'static', file)) },
      ]),
    ),
  );
  serveDocuments(server, '/dokumentasjon/', join(directory, 'documents'));
  server.get('/forside/naa', (_request, reply) => {
    const { updatedToMs = null, ageSeconds = null } = freshness.knownNow ?? {};
    const dataOppdatert = updatedToMs === null ? null : new Date(updatedToMs).toISOString();
    return reply.send({ organisasjon, dataOppdatert, alderSekunder: ageSeconds, kanSpoerre: isLocal });
  });
}
