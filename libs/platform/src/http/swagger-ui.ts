// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an app takes in this file by its name, and no import brings in how somebody else's module is declared
/// <reference path="./swagger-ui-dist.d.ts" />
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import distribution from 'swagger-ui-dist/absolute-path.js';
import { CSS, directoryOfPages, HTML, JS, servePage } from './pages.ts';
import { serveStyle } from './style.ts';

/** Where else there is something to read, in the bar at the top: path and name. */
export type Bar = readonly (readonly [path: string, name: string])[];

interface SwaggerUi {
  title: string;
  /** the first is what the name of the system leads to */
  bar: Bar;
  /** of Swagger UI, besides those that every one of ours has */
  settings: Record<string, unknown> | undefined;
  /** run when Swagger UI has started, as `ui` */
  script: string | undefined;
}

/**
 * Serves Swagger UI on `/openapi.json` at `/swagger`. The page is ours and not that of @nestjs/swagger, which has styles and
 * scripts in the page itself: a policy that lets those run lets anybody's run.
 */
export function serveSwaggerUi(server: FastifyInstance, { title, bar, settings, script }: SwaggerUi): void {
  const distributed = (name: string): Buffer => readFileSync(join(distribution(), name));
  const own = (name: string): Buffer => readFileSync(join(directoryOfPages(import.meta.dirname), 'static', name));
  const scripts = ['swagger-ui-bundle.js', 'hvem.js', 'start.js', ...(script === undefined ? [] : ['lokal.js'])];
  const page = { type: HTML, content: pageWith(title, bar, scripts) };
  serveStyle(server);
  servePage(server, {
    '/swagger': page,
    '/swagger/': page,
    '/swagger/side.css': { type: CSS, content: own('swagger.css') },
    '/swagger/swagger-ui.css': { type: CSS, content: distributed('swagger-ui.css') },
    '/swagger/swagger-ui-bundle.js': { type: JS, content: distributed('swagger-ui-bundle.js') },
    '/swagger/hvem.js': { type: JS, content: own('swagger-hvem.js') },
    '/swagger/start.js': {
      type: JS,
      content: `window.swaggerSettings = ${settingsWith(settings)};\n${own('swagger.js').toString()}`,
    },
    ...(script === undefined ? {} : { '/swagger/lokal.js': { type: JS, content: script } }),
  });
}

function pageWith(title: string, bar: Bar, scripts: string[]): string {
  const links = bar.map(
    ([path, name]) => `<a href="${path}"${path === '/swagger' ? ' aria-current="page"' : ''}>${name}</a>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title} – Swagger UI</title>
    <link rel="icon" type="image/svg+xml" href="/stil/ikon.svg" />
    <link rel="stylesheet" href="/swagger/swagger-ui.css" />
    <link rel="stylesheet" href="/stil/navikt.css" />
    <link rel="stylesheet" href="/stil/felles.css" />
    <link rel="stylesheet" href="/swagger/side.css" />
    <script src="/stil/tema.js"></script>
  </head>
  <body>
    <a class="hopp" href="#swagger-ui">Skip to the operations</a>
    <header class="topplinje">
      <div class="ramme">
        <a class="merke" href="${bar[0]?.[0] ?? '/'}"><img src="/stil/ikon.svg" alt="" /><span>tiltak-datadeling</span></a>
        <nav aria-label="Sider" lang="nb">${links.join('')}</nav>
      </div>
    </header>
    <section class="hvem" aria-labelledby="hvem-tittel">
      <div class="ramme">
        <h2 id="hvem-tittel" class="skjult">Authorised as</h2>
        <div id="hvem" aria-live="polite"><p><span class="prikk"></span> <strong>Not authorised</strong> Paste a token under Authorize to try the operations.</p></div>
      </div>
    </section>
    <div id="swagger-ui" tabindex="-1"></div>
${scripts.map((name) => `    <script src="/swagger/${name}"></script>`).join('\n')}
  </body>
</html>
`;
}

/** The token is kept in the memory of the page, and nowhere that another page could read it. */
const settingsWith = (settings: Record<string, unknown> | undefined): string =>
  JSON.stringify({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    docExpansion: 'list',
    ...settings,
    persistAuthorization: false,
  });
