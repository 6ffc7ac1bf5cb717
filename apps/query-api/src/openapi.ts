import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ProblemDto } from '@tiltak/platform';

const DESCRIPTION = `Reduced, read-only copies of avtaler about labour-market measures (tiltak), kept up to date from the source's Kafka topic.

**Access**: an Entra ID machine token for this service, and an entry in the registry of consumers for each purpose, operation and field. With more than one purpose, the header \`Behandlingsgrunnlag\` names it. Every look-up of persons is logged.

**How fresh**: every answer carries \`Data-Oppdatert\`, the moment up to which everything that the source published is included.

**Changes**: fields and operations are only added to v1. Values of coded fields that are new at the source appear as \`UKJENT\`. Times are RFC 3339 with offset.`;

/** The published document, `/openapi.json`. */
export function createDocument(app: INestApplication): OpenAPIObject {
  const info = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('tiltak-datadeling')
    .setDescription(DESCRIPTION)
    .setVersion('1.0.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service')
    .addTag('Personer', 'Is a person on a measure?')
    .addTag('Avtaler', 'Which avtaler are there, and what do they say?')
    .addTag('Endringer', 'What has changed, and what is everything?')
    .addTag('Data', 'How good is the data?')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Entra ID machine token' },
      'entra',
    )
    .addSecurityRequirements('entra')
    .build();
  const document = SwaggerModule.createDocument(app, info, { extraModels: [ProblemDto] });
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post]) if (operation) addCommonParts(operation);
  }
  for (const name of WITHOUT_UNKNOWN_FIELDS) {
    const schema = document.components?.schemas?.[name];
    if (schema && 'type' in schema) schema.additionalProperties = false;
  }
  return document;
}

/** Bodies: unknown properties are refused. Answers may get new ones. */
const WITHOUT_UNKNOWN_FIELDS = ['Sok', 'UtdragSok', 'Periode', 'TiltaksstatusSporring'];

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const ERROR: Record<string, string> = {
  400: 'The request is not valid; `feil` names what',
  401: 'No token, or one that is not valid here',
  403: 'The consumer, the operation or a field is not granted',
  404: 'No such thing',
  406: 'What this answers with is not accepted',
  413: 'The request is too large',
  415: 'Only JSON is read',
  429: 'The quota is used up; wait as `Retry-After` says',
  500: 'Not meant to happen',
  503: 'Can not be answered now; wait as `Retry-After` says',
};

/** What every operation has, said once. */
function addCommonParts(operation: Operation): void {
  const hasBody = operation.requestBody !== undefined;
  const hasPath = (operation.parameters ?? []).some((parameter) => 'in' in parameter && parameter.in === 'path');
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'Behandlingsgrunnlag',
      in: 'header',
      required: false,
      description: 'The purpose; required for a consumer with several',
      schema: { type: 'string' },
    },
    {
      name: 'Nav-Call-Id',
      in: 'header',
      required: false,
      description: 'Correlates logs; a new one is made when it is absent, or is not 1 to 100 of A–Z, a–z, 0–9, . _ : -',
      schema: { type: 'string' },
    },
  ];
  for (const response of Object.values(operation.responses)) {
    if (response && 'description' in response) response.headers = { ...response.headers, ...HEADERS };
  }
  for (const [status, description] of Object.entries(ERROR)) {
    if ((status === '413' || status === '415') && !hasBody) continue;
    if (status === '404' && !hasPath) continue;
    operation.responses[status] = {
      description,
      headers:
        status === '429' || status === '503' ? { ...CALL, 'Retry-After': header('Seconds to wait', 'integer') } : CALL,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
}

const header = (
  description: string,
  type: string,
  format?: string,
): { description: string; schema: Record<string, string> } => ({
  description,
  schema: format ? { type, format } : { type },
});

const CALL = { 'Nav-Call-Id': header('The call id of the request', 'string') };
const HEADERS = {
  ...CALL,
  'Data-Oppdatert': header('Everything the source published up to this moment is included', 'string', 'date-time'),
};

/** Serves the document at `/openapi.json`, and Swagger UI on it at `/swagger`, with a script of one's own if need be. */
export function showDocument(app: INestApplication, script?: string): void {
  SwaggerModule.setup('swagger', app, () => createDocument(app), {
    jsonDocumentUrl: '/openapi.json',
    customSiteTitle: 'tiltak-datadeling',
    raw: ['json'],
    ...(script === undefined ? {} : { customJsStr: script }),
    swaggerOptions: {
      persistAuthorization: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      // The questions first, what they are made of when asked for.
      defaultModelsExpandDepth: 0,
      filter: true,
    },
  });
}

/** The document without starting anything: what `main.cjs openapi` prints. */
export async function documentAsText(module: DynamicModule): Promise<string> {
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: false, abortOnError: false });
  return `${JSON.stringify(createDocument(app), null, 2)}\n`;
}
