import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { ProblemDto } from './http/problem.dto.ts';
import { serveSwaggerUi, type Bar } from './http/swagger-ui.ts';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Responses = Operation['responses'];
type Response = Exclude<Responses[string], { $ref: string } | undefined>;
type Headers = NonNullable<Response['headers']>;

export interface OpenApiOptions {
  title: string;
  description: string;
  /** what each tag is about, in the order of the document */
  tags: Record<string, string>;
  /** what the bearer token is */
  token: string;
  /** bodies that refuse unknown properties; answers may get new ones */
  closedSchemas: readonly string[];
  /** what every operation may answer with, by status, unless it says something better itself; 409 only if it does */
  errors: Record<string, string>;
  /** of every operation, after its own */
  parameters?: NonNullable<Operation['parameters']>;
  /** of everything else than `errors` that is answered */
  headers?: Headers;
  /** of each of `errors` */
  errorHeaders?: (status: string) => Headers;
  /** other pages, in the bar at the top of Swagger UI; the first is what the name of the system leads to */
  bar: Bar;
  /** of Swagger UI */
  ui?: Record<string, unknown>;
}

export interface OpenApi {
  /** Serves the document at `/openapi.json`, and Swagger UI on it at `/swagger`, with a script of one's own if need be. */
  serve: (app: INestApplication, script?: string) => void;
  /** The document without starting anything: what `main.cjs openapi` prints. */
  text: (module: DynamicModule) => Promise<string>;
}

/** The document that an app publishes. */
export function createOpenApi(options: OpenApiOptions): OpenApi {
  return {
    serve: (app, script) => {
      SwaggerModule.setup('swagger', app, () => createDocument(app, options), {
        jsonDocumentUrl: '/openapi.json',
        raw: ['json'],
        ui: false,
      });
      const server = app.getHttpAdapter().getInstance() as FastifyInstance;
      serveSwaggerUi(server, { title: options.title, bar: options.bar, settings: options.ui, script });
    },
    text: async (module) => {
      const app = await NestFactory.create(module, new FastifyAdapter(), { logger: false, abortOnError: false });
      return `${JSON.stringify(createDocument(app, options), null, 2)}\n`;
    },
  };
}

function createDocument(app: INestApplication, options: OpenApiOptions): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(options.title)
    .setDescription(options.description)
    .setVersion('1.0.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: options.token }, 'entra')
    .addSecurityRequirements('entra');
  for (const [tag, description] of Object.entries(options.tags)) builder.addTag(tag, description);
  const document = SwaggerModule.createDocument(app, builder.build(), { extraModels: [ProblemDto] });
  for (const { get, put, post, patch, delete: remove } of Object.values(document.paths)) {
    for (const operation of [get, put, post, patch, remove]) if (operation) addCommonParts(operation, options);
  }
  for (const name of options.closedSchemas) {
    const schema = document.components?.schemas?.[name];
    if (schema && 'type' in schema) schema.additionalProperties = false;
  }
  return document;
}

/** What every operation has, said once. */
function addCommonParts(operation: Operation, { errors, parameters, headers, errorHeaders }: OpenApiOptions): void {
  const { responses } = operation;
  const statuses = Object.keys(errors).filter((status) => canAnswer(operation, status));
  if (parameters) operation.parameters = [...(operation.parameters ?? []), ...parameters];
  for (const response of Object.values(responses)) {
    if (headers && isInline(response)) response.headers = { ...response.headers, ...headers };
  }
  for (const status of statuses) {
    responses[status] = {
      description: describedIn(responses, status) ?? errors[status] ?? '',
      ...(errorHeaders ? { headers: errorHeaders(status) } : {}),
      content: contentIn(responses, status) ?? {
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      },
    };
  }
}

function canAnswer({ requestBody, parameters = [], responses }: Operation, status: string): boolean {
  if (status === '404') return parameters.some((parameter) => 'in' in parameter && parameter.in === 'path');
  if (status === '409') return responses[status] !== undefined;
  return requestBody !== undefined || !['413', '415'].includes(status);
}

const isInline = (response: Responses[string]): response is Response =>
  response !== undefined && 'description' in response;

function describedIn(responses: Responses, status: string): string | undefined {
  const known = responses[status];
  return (isInline(known) && known.description) || undefined;
}

function contentIn(responses: Responses, status: string): Response['content'] {
  const known = responses[status];
  return isInline(known) ? known.content : undefined;
}
