import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { serveDocument } from '@tiltak/platform';
import { catalogueOf } from './catalogue.ts';
import { CATALOGUE_FILES } from './files.ts';
import { cataloguePage, STYLE, STYLE_ROUTE, type Link } from './page.ts';

/** They hold no data, and need no token. */
export const CATALOGUE_ROUTES = ['/katalog', '/katalog/*'];

const TYPES: Record<keyof typeof CATALOGUE_FILES, string> = {
  'datakontrakt.yaml': 'application/yaml; charset=utf-8',
  'dcat-ap-no.ttl': 'text/turtle; charset=utf-8',
  'skjema.graphql': 'application/graphql; charset=utf-8',
};
const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

const LINKS: Link[] = [
  { href: '/openapi.json', title: 'OpenAPI 3.1', about: 'The operations, for clients that are generated' },
  { href: '/swagger', title: 'Swagger UI', about: 'The same, to try out' },
  { href: '/katalog/datakontrakt.yaml', title: 'Data contract (ODCS 3.1)', about: 'This catalogue, for programs' },
  { href: '/katalog/dcat-ap-no.ttl', title: 'DCAT-AP-NO', about: 'The service, for catalogues of data' },
  {
    href: '/katalog/skjema.graphql',
    title: 'GraphQL schema',
    about: 'Of POST /graphql, for clients of the service before this one',
  },
];
const ASYNCAPI: Link = {
  href: '/katalog/asyncapi.yaml',
  title: 'AsyncAPI 3',
  about: 'The topics that the service reads, and the one that it tells of changes on',
};
/** Of pages that the build lays beside the program, as it does with that document. */
const ABOUT_CHANGES: Link[] = [
  {
    href: '/dokumentasjon/konsumenter#following-some-of-them',
    title: 'Abonnement',
    about: 'The changes of some persons, employers, avtaler or kinds only',
  },
  {
    href: '/dokumentasjon/konsumenter#being-told-by-kafka',
    title: 'Trigger topic',
    about: 'To be told by Kafka that something changed',
  },
];

/** Serves the catalogue: the page, and each of its documents. @param document the OpenAPI document */
export function serveCatalogue(app: NestFastifyApplication, document: () => OpenAPIObject): void {
  const server = app.getHttpAdapter().getInstance();
  const asyncApi = readAsyncApi();
  const links = asyncApi === undefined ? LINKS : [...LINKS, ASYNCAPI, ...ABOUT_CHANGES];
  serveDocument(server, '/katalog', {
    type: HTML,
    content: () => cataloguePage(catalogueOf(document()), links),
    isPage: true,
  });
  serveDocument(server, STYLE_ROUTE, { type: CSS, content: () => STYLE, isPage: true });
  for (const [name, text] of Object.entries(CATALOGUE_FILES)) {
    const type = TYPES[name as keyof typeof CATALOGUE_FILES];
    serveDocument(server, `/katalog/${name}`, { type, content: () => text(document()) });
  }
  if (asyncApi !== undefined) {
    serveDocument(server, ASYNCAPI.href, { type: 'application/yaml; charset=utf-8', content: () => asyncApi });
  }
}

/** Of the ingestor: the build lays it beside the program. */
function readAsyncApi(): string | undefined {
  const file = typeof __dirname === 'undefined' ? undefined : join(__dirname, 'asyncapi.yaml');
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
