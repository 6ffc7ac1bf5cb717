import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CSS, directoryOfPages, HTML, JS, servePage } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';

/** Open to everyone: the page holds no data. What it asks for needs the token of an auditor. */
export const PAGE_ROUTES = ['/revisor', '/revisor/side/*'];

/** Serves the page of auditors. The build has laid its files beside the program. */
export function serveAuditorPage(server: FastifyInstance): void {
  const directory = join(directoryOfPages(import.meta.dirname), 'static');
  const file = (name: string): Buffer => readFileSync(join(directory, name));
  servePage(server, {
    '/revisor': { type: HTML, content: file('revisor.html') },
    '/revisor/side/revisor.css': { type: CSS, content: file('revisor.css') },
    '/revisor/side/revisor.js': { type: JS, content: file('revisor.js') },
  });
  // Whether something on the way here logs people in, and puts their token on what the page asks for.
  server.get('/revisor/side/innlogging', (request, reply) =>
    reply.send({ medProxy: request.headers.authorization !== undefined }),
  );
}
