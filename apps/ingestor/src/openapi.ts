import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ProblemDto } from '@tiltak/platform';

/** Open to everyone: they hold no data. */
export const DOCUMENT_ROUTES = ['/openapi.json', '/swagger', '/swagger/*'];

const DESCRIPTION = `For the adapter of the organisation that owns the avtaler, and for people on duty.

**An adapter** sets its contract (\`PUT /adapter/v1/kontrakt\`), sends heartbeats as it promised, and pushes avtaler in pages: all of them now and then (full sync), changes as they come (delta), and ids that are gone (delete). What is answered with 201 is on Kafka, in every replica. A page that was not answered, or was answered with 503, is sent again as it was, after \`Retry-After\`.

**Order**: \`sistEndret\` decides. The newest wins, whatever comes last; equal goes to the one that came last; a deleted avtale is revived only by a newer one.

**Access**: a machine token with the scope \`tiltak:adapter\` and this organisation in the claim \`organisasjon\`, from the client that the contract belongs to. Operations need the role \`drift\`.`;

/** The published document, `/openapi.json`. */
function createDocument(app: INestApplication): OpenAPIObject {
  const info = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('tiltak-datadeling: ingestor')
    .setDescription(DESCRIPTION)
    .setVersion('1.0.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service')
    .addTag('Kontrakt', 'What the adapter has promised, and whether it keeps it')
    .addTag('Synk', 'Pages of avtaler')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Machine token' }, 'entra')
    .addSecurityRequirements('entra')
    .build();
  const document = SwaggerModule.createDocument(app, info, { extraModels: [ProblemDto] });
  for (const { get, put, post, patch, delete: remove } of Object.values(document.paths)) {
    for (const operation of [get, put, post, patch, remove]) if (operation) addErrors(operation);
  }
  for (const name of CLOSED_SCHEMAS) {
    const schema = document.components?.schemas?.[name];
    if (schema && 'type' in schema) schema.additionalProperties = false;
  }
  return document;
}

/** Unknown properties are refused; a page may hold more than is used. */
const CLOSED_SCHEMAS = ['Kontrakt', 'SpillAvFlere', 'Forkast', 'RettAvstemming'];

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const ERRORS: Record<string, string> = {
  400: 'The request is not valid; `feil` names what, up to 100; `flereFeil` how many more',
  401: 'No token, or one that is not valid here',
  403: 'The token lacks the role, is of another organisation, or not of the client of the contract',
  404: 'No such thing',
  409: 'The state of the thing does not allow this',
  413: 'More than 10,000 entries or 32 MiB',
  415: 'The body has another media type than is taken',
  500: 'Not meant to happen',
  503: 'Can not be answered now, and nothing has been accepted; send it again when `Retry-After` has passed',
};

/** What every operation can answer with, said once. */
function addErrors(operation: Operation): void {
  const hasBody = operation.requestBody !== undefined;
  const hasPath = (operation.parameters ?? []).some((parameter) => 'in' in parameter && parameter.in === 'path');
  for (const [status, standard] of Object.entries(ERRORS)) {
    const known = operation.responses[status];
    if ((status === '409' && !known) || (['413', '415'].includes(status) && !hasBody) || (status === '404' && !hasPath))
      continue;
    operation.responses[status] = {
      description: known && 'description' in known && known.description ? known.description : standard,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
}

/** Serves the document at `/openapi.json`, and Swagger UI on it at `/swagger`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('swagger', app, () => createDocument(app), {
    jsonDocumentUrl: '/openapi.json',
    customSiteTitle: 'tiltak-datadeling: ingestor',
    raw: ['json'],
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
}

/** The document without starting anything: what `main.cjs openapi` prints. */
export async function openApiText(modul: DynamicModule): Promise<string> {
  const app = await NestFactory.create(modul, new FastifyAdapter(), { logger: false, abortOnError: false });
  return `${JSON.stringify(createDocument(app), null, 2)}\n`;
}
