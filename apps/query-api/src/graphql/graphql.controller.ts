import { setImmediate } from 'node:timers/promises';
import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { execute, GraphQLError, type ExecutionResult, type GraphQLFormattedError } from 'graphql';
import type { AvtaleRow } from '../avtaler/avtaler.fields.ts';
import { Reader } from '../lookups/reader.ts';
import { AuditLog } from '../lookups/audit-log.ts';
import { IsOperation } from '../access/operations.ts';
import { requireFields, grantOf, type Grant } from '../access/access.guard.ts';
import { MAX_AVTALER, lookUp, type LookupResult } from './avtale-lookup.ts';
import { parseRequest, type GraphqlRequest } from './document.ts';
import { RejectedError, fromProblem, toResponse, invalid } from './errors.ts';
import { GraphqlForesporselDto } from './graphql.dto.ts';
import { plan, type RootLookup } from './root-lookups.ts';
import { FIELD_SOURCES, schema } from './schema.ts';

interface GraphqlResponse {
  data?: ExecutionResult['data'];
  errors?: GraphQLFormattedError[];
}

/** For clients that say they know it; it lets the status tell that nothing was executed. */
const MEDIA_TYPE = 'application/graphql-response+json';

/**
 * What clients of the service before this one ask, at the address they know. Everything is looked up and audited before
 * the operation is executed; execution only gives the answer its shape.
 */
@ApiExcludeController()
@Controller()
export class GraphqlController {
  constructor(
    private readonly reading: Reader,
    private readonly auditLog: AuditLog,
  ) {}

  @Post('graphql')
  @HttpCode(200)
  @IsOperation('graphql')
  @RouteConfig({ mediaTypes: ['application/json', MEDIA_TYPE] })
  async graphql(
    @Body() parsed: GraphqlForesporselDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GraphqlResponse> {
    const response = await this.respond(parsed, request);
    if (request.headers.accept?.includes(MEDIA_TYPE)) {
      reply.header('content-type', `${MEDIA_TYPE}; charset=utf-8`);
      if (response.data === undefined) reply.status(statusFor(response.errors));
    }
    return response;
  }

  private async respond(parsed: GraphqlForesporselDto, request: FastifyRequest): Promise<GraphqlResponse> {
    try {
      const query = parseRequest(parsed);
      const lookup = plan(query);
      await this.requireAccess(grantOf(request), lookup, request.body);
      return await executeRequest(query, await this.lookUpAll(grantOf(request), lookup));
    } catch (error) {
      return { errors: rejections(error).map(toResponse) };
    }
  }

  private async requireAccess(access: Grant, lookup: RootLookup[], body: unknown): Promise<void> {
    try {
      requireFields(access, fieldsOf(lookup));
    } catch (error) {
      await this.auditLog.recordDenial(access.konsument, access.operation, body);
      throw error instanceof Problem ? new RejectedError([fromProblem(error)]) : error;
    }
  }

  /** One after the other, so that no request takes more than one connection; audited together. */
  private async lookUpAll(access: Grant, lookup: RootLookup[]): Promise<Map<string, LookupResult>> {
    const outcome = new Map<string, LookupResult>();
    let position = MAX_AVTALER;
    for (const root of lookup) {
      const ett = await lookUp(this.reading, root, position);
      position = Math.max(0, position - ett.wasRead);
      outcome.set(root.key, ett);
    }
    const answered = lookup.filter(({ key }) => !(outcome.get(key)?.response instanceof GraphQLError));
    if (answered.length > 0) await this.audit(access, fieldsOf(answered), [...outcome.values()]);
    return outcome;
  }

  private audit(access: Grant, fields: ReturnType<typeof fieldsOf>, outcome: LookupResult[]): Promise<void> {
    const rows = outcome.flatMap((ett) => ett.rows);
    const deltakerIder = rows.flatMap((row) => (row['deltaker_id'] === null ? [] : [String(row['deltaker_id'])]));
    const askedAfter = outcome.flatMap(({ personidenter }) => personidenter);
    return this.auditLog.record(access, fields, askedAfter, rows.length, deltakerIder);
  }
}

/** The fields to be granted, and to be found in the audit. */
function fieldsOf(lookup: RootLookup[]): RootLookup['sources'][number]['krever'][] {
  return [...new Set(lookup.flatMap(({ sources }) => sources.map(({ krever: requires }) => requires)))];
}

async function executeRequest(
  { document, operation, variables }: GraphqlRequest,
  outcome: ReadonlyMap<string, LookupResult>,
): Promise<GraphqlResponse> {
  const { data, errors } = await execute({
    schema: schema,
    document: document,
    operationName: operation.name?.value,
    variableValues: variables,
    fieldResolver: (row: AvtaleRow | undefined, _argumenter, _kontekst, { path, fieldName }) =>
      row ? FIELD_SOURCES.get(fieldName)?.verdi(row) : resultOf(outcome.get(String(path.key))),
  });
  return { ...(errors && { errors: errors.map(toResponse) }), data: data ?? null };
}

/** Avtaler that are made into an answer in one go, while all other requests wait. */
const CHUNK = 500;

function resultOf({ response }: Partial<LookupResult> = {}): unknown {
  return Array.isArray(response) && response.length > CHUNK ? inChunks(response) : response;
}

function inChunks(rows: AvtaleRow[]): Promise<AvtaleRow>[] {
  let turn = Promise.resolve();
  return rows.map((row, i) => {
    if (i % CHUNK === 0) turn = turn.then(() => setImmediate());
    return turn.then(() => row);
  });
}

/** @throws what says nothing of the request itself: the database is away, say */
function rejections(error: unknown): readonly GraphQLError[] {
  if (error instanceof RejectedError) return error.feil;
  // An argument that is null after all, as only the variables tell.
  if (error instanceof GraphQLError) return [invalid(error.message, error.nodes)];
  throw error;
}

function statusFor([error]: GraphQLFormattedError[] = []): number {
  const { IKKE_TILGANG: FORBIDDEN, UGYLDIG_FORESPORSEL: INVALID_REQUEST } = PROBLEMS;
  return error?.extensions?.['code'] === FORBIDDEN.code ? FORBIDDEN.status : INVALID_REQUEST.status;
}
