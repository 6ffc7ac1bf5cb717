import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CSS, directoryOfPages, HTML, JS, serveDocuments, servePage, type PageFile } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';

/** Open to everyone: the page holds no data. What it asks for needs the token of a person on duty. */
export const CONSOLE_ROUTES = ['/drift', '/drift/organisasjoner', '/drift/side/*', '/drift/dokumentasjon/*'];
/** Tells the page whether something on the way here logs people in, and puts their token on what the page asks for. */
const LOGIN_ROUTE = '/drift/side/innlogging';

/** The published name of each script, and the file that it is. */
const SCRIPTS = {
  side: 'console',
  felles: 'common',
  parkerte: 'parked',
  stansede: 'held',
  gjenoppbygging: 'rebuild',
  adapter: 'adapter',
  avstemming: 'avstemming',
  tilstand: 'condition',
  diagram: 'charts',
  dialog: 'dialog',
  relasjoner: 'relation-check',
  plass: 'storage',
  virksomheter: 'virksomheter',
  innlogging: 'login',
  oppfriskning: 'refresh',
  organisasjoner: 'organisasjoner',
};

const FILES: Record<string, { file: string; type: string }> = {
  '/drift': { file: 'index.html', type: HTML },
  '/drift/organisasjoner': { file: 'organisasjoner.html', type: HTML },
  ...Object.fromEntries(
    Object.entries(SCRIPTS).map(([name, file]) => [`/drift/side/${name}.js`, { file: `${file}.js`, type: JS }]),
  ),
  '/drift/side/side.css': { file: 'console.css', type: CSS },
};

/** Serves the page of those on duty. The build has laid its files beside the program. */
export function serveConsole(app: NestFastifyApplication): NestFastifyApplication {
  const directory = directoryOfPages(import.meta.dirname);
  const server = app.getHttpAdapter().getInstance() as FastifyInstance;
  const files = Object.entries(FILES).map(([route, { file, type }]) => [
    route,
    { type, content: readFileSync(join(directory, 'static', file)) },
  ]);
  servePage(server, Object.fromEntries(files) as Record<string, PageFile>);
  serveDocuments(server, '/drift/dokumentasjon/', join(directory, 'documents'));
  server.get(LOGIN_ROUTE, (request, reply) => reply.send({ medProxy: request.headers.authorization !== undefined }));
  return app;
}
