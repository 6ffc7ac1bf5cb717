import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Open to everyone: the page holds no data, and asks for a token. */
export const CONSOLE_ROUTES = ['/drift', '/drift/side/*'];

const JS = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
/** The published name of each script, and the file that it is. */
const SCRIPTS = {
  side: 'console',
  felles: 'common',
  parkerte: 'parked',
  gjenoppbygging: 'rebuild',
  adapter: 'adapter',
  avstemming: 'avstemming',
};

const FILES: Record<string, { file: string; type: string }> = {
  '/drift': { file: 'index.html', type: 'text/html; charset=utf-8' },
  ...Object.fromEntries(
    Object.entries(SCRIPTS).map(([name, file]) => [`/drift/side/${name}.js`, { file: `${file}.js`, type: JS }]),
  ),
  '/drift/side/side.css': { file: 'console.css', type: CSS },
  '/drift/side/navikt.css': { file: 'navikt.css', type: CSS },
};

/** Nothing but what lies here, and nobody may show the page inside theirs. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** Serves the page of those on duty. The build has laid its files beside the program. */
export function serveConsole(app: NestFastifyApplication): NestFastifyApplication {
  const server = app.getHttpAdapter().getInstance();
  for (const [route, { file, type }] of Object.entries(FILES)) {
    const content = readFileSync(join(__dirname, 'console', file));
    server.get(route, (_request, reply) => reply.headers({ ...HEADERS, 'Content-Type': type }).send(content));
  }
  return app;
}
