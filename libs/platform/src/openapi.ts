import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { ProblemDto } from './http/problem.dto.ts';
import { serveDocument } from './http/document.ts';
import type { Bar } from './http/page-top.ts';
import { STYLE_BASE } from './http/style.ts';
import { serveSwaggerUi } from './http/swagger-ui.ts';
import { exampleOfProblem } from './problem-example.ts';
import { API_VERSION } from './version.ts';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Responses = Operation['responses'];
type Response = Exclude<Responses[string], { $ref: string } | undefined>;
type Headers = NonNullable<Response['headers']>;
type Schema = Extract<NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string], { type?: unknown }>;

export interface OpenApiOptions {
  title: string;
  description: string;
  /** what each tag is about, in the order of the document */
  tags: Record<string, string>;
  /** what the bearer token is */
  token: string;
  /** what it is of another organisation, for what lies under that path; none is taken when undefined */
  outside?: { token: string; path: string };
  /** bodies that refuse unknown properties; answers may get new ones */
  closedSchemas: readonly string[];
  /** those of `closedSchemas` that must have a member, though each may be left out */
  nonEmptySchemas?: readonly string[];
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
  /** where the common style lies; `/stil` unless told */
  style?: string;
  /** of Swagger UI */
  ui?: Record<string, unknown>;
}

export interface OpenApi {
  /**
   * Serves the document at `/openapi.json`, and Swagger UI on it at `/swagger`, with a script of one's own if need be.
   *
   * @param asHere what the document of this process has besides
   * @returns the document, for what else is made from it; only once the app listens
   */
  serve: (app: INestApplication, script?: string, asHere?: (document: OpenAPIObject) => void) => () => OpenAPIObject;
  /** The document without starting anything: what `main.cjs openapi` prints. */
  text: (module: DynamicModule) => Promise<string>;
  document: (module: DynamicModule) => Promise<OpenAPIObject>;
}

/** The document that an app publishes. */
export function createOpenApi(options: OpenApiOptions): OpenApi {
  const documentOf = async (module: DynamicModule): Promise<OpenAPIObject> => {
    const app = await NestFactory.create(module, new FastifyAdapter(), { logger: false, abortOnError: false });
    return createDocument(app, options);
  };
  return {
    serve: (app, script, asHere) => {
      const server = app.getHttpAdapter().getInstance() as FastifyInstance;
      let made: OpenAPIObject | undefined;
      const document = (): OpenAPIObject => {
        if (made) return made;
        made = createDocument(app, options);
        asHere?.(made);
        return made;
      };
      const content = (): string => JSON.stringify(document());
      serveDocument(server, '/openapi.json', { type: 'application/json; charset=utf-8', content });
      const { title, bar, style = STYLE_BASE, ui: settings } = options;
      serveSwaggerUi(server, { title, bar, style, settings, script });
      return document;
    },
    text: async (module) => `${JSON.stringify(await documentOf(module), null, 2)}\n`,
    document: documentOf,
  };
}

const BEARER = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } as const;

function createDocument(app: INestApplication, options: OpenApiOptions): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(options.title)
    .setDescription(options.description)
    .setVersion(API_VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service')
    .addBearerAuth({ ...BEARER, description: options.token }, 'entra')
    .addSecurityRequirements('entra');
  const { outside } = options;
  // One or the other.
  if (outside)
    builder
      .addBearerAuth({ ...BEARER, description: outside.token }, 'maskinporten')
      .addSecurityRequirements('maskinporten');
  for (const [tag, description] of Object.entries(options.tags)) builder.addTag(tag, description);
  const document = SwaggerModule.createDocument(app, builder.build(), { extraModels: [ProblemDto] });
  for (const [path, { get, put, post, patch, delete: remove }] of Object.entries(document.paths)) {
    for (const operation of [get, put, post, patch, remove]) {
      if (!operation) continue;
      addCommonParts(document, operation, options);
      if (outside && !path.startsWith(outside.path)) operation.security = [{ entra: [] }];
    }
  }
  for (const name of options.closedSchemas) {
    const schema = document.components?.schemas?.[name];
    if (!schema || !('type' in schema)) continue;
    schema.additionalProperties = false;
    describeOptionalLists(schema);
  }
  for (const name of options.nonEmptySchemas ?? []) {
    const schema = document.components?.schemas?.[name];
    if (schema && 'type' in schema) schema.minProperties = 1;
  }
  return document;
}

/**
 * A list that may be left out may be null too, which is read as left out (`http/validation.ts`). Said, because a generated
 * Java client begins with an empty list in the place of one that may not be null, and sends it: empty lists are refused.
 */
function describeOptionalLists({ properties = {}, required = [] }: Schema): void {
  for (const [name, property] of Object.entries(properties)) {
    if ('type' in property && property.type === 'array' && !required.includes(name)) property.type = ['array', 'null'];
  }
}

/** What every operation has, said once. */
function addCommonParts(
  document: OpenAPIObject,
  operation: Operation,
  { errors, parameters, headers, errorHeaders }: OpenApiOptions,
): void {
  const { responses } = operation;
  const statuses = Object.keys(errors).filter((status) => canAnswer(operation, status));
  if (parameters) operation.parameters = [...(operation.parameters ?? []), ...parameters];
  for (const response of Object.values(responses)) {
    if (isInline(response)) response.description ||= answerOf(response);
    if (headers && isInline(response)) response.headers = { ...response.headers, ...headers };
  }
  for (const status of statuses) {
    const content = contentIn(responses, status) ?? {
      [PROBLEM_JSON]: { schema: { $ref: '#/components/schemas/Problem' } },
    };
    const problem = content[PROBLEM_JSON];
    if (problem) problem.example ??= exampleOfProblem(document, status, problem.schema);
    responses[status] = {
      description: describedIn(responses, status) ?? errors[status] ?? '',
      ...(errorHeaders ? { headers: errorHeaders(status) } : {}),
      content,
    };
  }
}

/** An answer that says nothing of itself is told of by its schema. */
function answerOf({ content = {} }: Response): string {
  const [, name] = /schemas\/(\w+)"/.exec(JSON.stringify(content)) ?? [];
  return name === undefined ? 'It is done' : `\`${name}\``;
}

const PROBLEM_JSON = 'application/problem+json';

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
