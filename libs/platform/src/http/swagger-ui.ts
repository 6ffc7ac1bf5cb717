// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an app takes in this file by its name, and no import brings in how somebody else's module is declared
/// <reference path="./swagger-ui-dist.d.ts" />
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import distribution from 'swagger-ui-dist/absolute-path.js';
import { CSS, directoryOfPages, HTML, JS, servePage } from './pages.ts';
import { pageTop, type Bar } from './page-top.ts';
import { serveStyle } from './style.ts';

interface SwaggerUi {
  title: string;
  /** the first is what the name of the system leads to */
  bar: Bar;
  /** where the common style lies */
  style: string;
  /** of Swagger UI, besides those that every one of ours has */
  settings: Record<string, unknown> | undefined;
  /** run when Swagger UI has started, as `ui` */
  script: string | undefined;
}

/**
 * Serves Swagger UI on `/openapi.json` at `/swagger`. The page is ours and not that of @nestjs/swagger, which has styles and
 * scripts in the page itself: a policy that lets those run lets anybody's run.
 */
export function serveSwaggerUi(server: FastifyInstance, { title, bar, style, settings, script }: SwaggerUi): void {
  const distributed = (name: string): Buffer => readFileSync(join(distribution(), name));
  const own = (name: string): Buffer => readFileSync(join(directoryOfPages(import.meta.dirname), 'static', name));
  const scripts = ['swagger-ui-bundle.js', 'hvem.js', 'start.js', ...(script === undefined ? [] : ['lokal.js'])];
  const page = { type: HTML, content: pageWith(title, { bar, style }, scripts) };
  serveStyle(server, style);
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

function pageWith(title: string, { bar, style }: Pick<SwaggerUi, 'bar' | 'style'>, scripts: string[]): string {
  const top = pageTop({
    title: `${title} – Swagger UI`,
    lang: 'en',
    bar,
    path: '/swagger',
    before: ['/swagger/swagger-ui.css'],
    styles: ['/swagger/side.css'],
    style,
    skip: ['swagger-ui', 'Skip to the operations'],
  });
  return `${top}
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
