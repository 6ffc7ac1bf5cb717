import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Open to everyone: the page holds no data, and asks for a token. */
export const CONSOLE_ROUTES = ['/drift', '/drift/side/*'];

const JS = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = ['side', 'felles', 'parkerte', 'gjenoppbygging', 'adapter', 'avstemming'];

const FILES: Record<string, { fil: string; type: string }> = {
  '/drift': { fil: 'index.html', type: 'text/html; charset=utf-8' },
  ...Object.fromEntries(SCRIPT.map((name) => [`/drift/side/${name}.js`, { fil: `${name}.js`, type: JS }])),
  '/drift/side/side.css': { fil: 'side.css', type: CSS },
  '/drift/side/navikt.css': { fil: 'navikt.css', type: CSS },
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
  for (const [route, { fil: file, type }] of Object.entries(FILES)) {
    const content = readFileSync(join(__dirname, 'side', file));
    server.get(route, (_request, reply) => reply.headers({ ...HEADERS, 'Content-Type': type }).send(content));
  }
  return app;
}
