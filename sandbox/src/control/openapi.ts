import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createOpenApi } from '@tiltak/platform';
import type { FastifyInstance } from 'fastify';
import { ControlModule } from './control.module.ts';

/** Beside the documents of the query-api, which the sandbox serves too. */
export const DOCUMENT_PATH = '/sandkasse/openapi.json';
export const SWAGGER_PATH = '/sandkasse/swagger';

const DESCRIPTION = `Decides what the query-api of the sandbox knows and how it behaves, for the tests of those who call it.

**Made-up data only**: an ident has 80 (Tenor) or 40 (Dolly) added to its month, and everything else is refused.

**No token**: the sandbox listens on this machine only.`;

const { text: withToken } = createOpenApi({
  title: 'tiltak-datadeling: sandkasse',
  description: DESCRIPTION,
  tags: { Innhold: 'Who and what there is', Omgivelser: 'Time, faults, who asked, and tokens' },
  token: 'None is needed',
  bar: [],
  closedSchemas: ['Avtaleinnhold', 'Person', 'ScenarioValg', 'KlokkeValg', 'Alder', 'Feil'],
  errors: {
    400: 'The request is not valid; `feil` names what',
    404: 'No such thing',
    413: 'The request is too large',
    415: 'Only JSON is read',
    503: 'The sandbox is starting',
  },
});

/** The document that the sandbox publishes. */
export async function controlDocument(): Promise<string> {
  const document = JSON.parse(await withToken(ControlModule.forDocument())) as {
    security?: unknown;
    components: { securitySchemes?: unknown };
  };
  // Whoever asks is on this machine.
  delete document.security;
  delete document.components.securitySchemes;
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Swagger UI is the query-api's own, on this document. */
export function serveDocument(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance() as FastifyInstance;
  let document: Promise<string> | undefined;
  const files: Record<string, [type: string, content: () => string | Promise<string>]> = {
    // Made when somebody wants it: the start is not kept waiting.
    [DOCUMENT_PATH]: ['application/json; charset=utf-8', () => (document ??= controlDocument())],
    [SWAGGER_PATH]: ['text/html; charset=utf-8', () => PAGE],
    [`${SWAGGER_PATH}/start.js`]: ['text/javascript; charset=utf-8', () => SCRIPT],
  };
  for (const [path, [type, content]] of Object.entries(files)) {
    server.get(path, async (_request, reply) => {
      await reply.headers({ ...PAGE_HEADERS, 'Content-Type': type }).send(await content());
    });
  }
}

const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>tiltak-datadeling: sandkasse</title>
    <link rel="stylesheet" href="/swagger/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/swagger/swagger-ui-bundle.js"></script>
    <script src="${SWAGGER_PATH}/start.js"></script>
  </body>
</html>
`;

const SCRIPT = `SwaggerUIBundle({
  presets: [SwaggerUIBundle.presets.apis],
  url: '${DOCUMENT_PATH}',
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
});
`;
