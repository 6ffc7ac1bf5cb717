// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an app takes in this file by its name, and no import brings in how somebody else's module is declared
/// <reference path="./swagger-ui-dist.d.ts" />
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import distribution from 'swagger-ui-dist/absolute-path.js';
import { pageHeaders } from './security-headers.ts';

interface SwaggerUi {
  title: string;
  /** of Swagger UI, besides those that every one of ours has */
  settings: Record<string, unknown> | undefined;
  /** run when Swagger UI has started, as `ui` */
  script: string | undefined;
}

const JS = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const HTML = 'text/html; charset=utf-8';

/**
 * Serves Swagger UI on `/openapi.json` at `/swagger`. The page is ours and not that of @nestjs/swagger, which has styles and
 * scripts in the page itself: a policy that lets those run lets anybody's run.
 */
export function serveSwaggerUi(server: FastifyInstance, { title, settings, script }: SwaggerUi): void {
  const directory = distribution();
  const file = (name: string): Buffer => readFileSync(join(directory, name));
  const scripts = ['swagger-ui-bundle.js', 'start.js', ...(script === undefined ? [] : ['lokal.js'])];
  const files: Record<string, [type: string, content: Buffer | string]> = {
    '/swagger': [HTML, pageWith(title, scripts)],
    '/swagger/': [HTML, pageWith(title, scripts)],
    '/swagger/side.css': [CSS, STYLE],
    '/swagger/swagger-ui.css': [CSS, file('swagger-ui.css')],
    '/swagger/swagger-ui-bundle.js': [JS, file('swagger-ui-bundle.js')],
    '/swagger/favicon-32x32.png': ['image/png', file('favicon-32x32.png')],
    '/swagger/start.js': [JS, startWith(settings)],
    ...(script === undefined ? {} : { '/swagger/lokal.js': [JS, script] }),
  };
  for (const [route, [type, content]] of Object.entries(files)) {
    server.get(route, (_request, reply) => reply.headers(pageHeaders(type)).send(content));
  }
}

const pageWith = (title: string, scripts: string[]): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="icon" type="image/png" href="/swagger/favicon-32x32.png" />
    <link rel="stylesheet" href="/swagger/swagger-ui.css" />
    <link rel="stylesheet" href="/swagger/side.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
${scripts.map((name) => `    <script src="/swagger/${name}"></script>`).join('\n')}
  </body>
</html>
`;

const STYLE = 'body { margin: 0; background: #fafafa }\n';

/** The token is kept in the memory of the page, and nowhere that another page could read it. */
const startWith = (settings: Record<string, unknown> | undefined): string => `window.ui = SwaggerUIBundle({
  presets: [SwaggerUIBundle.presets.apis],
  ...${JSON.stringify({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    ...settings,
    persistAuthorization: false,
  })},
});
`;
