import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { AvtaleField } from '@tiltak/avtale';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import type { Disclosure } from '../lookups/audit-log.ts';
import { identsIn } from '../lookups/denial-log.ts';
import { deltakereIn, Lookups } from '../lookups/lookups.ts';
import { answerText } from './answer-text.ts';
import { lookUpRoots, type RootResult } from './avtale-lookup.ts';
import { parseRequest } from './document.ts';
import { RejectedError, forbidden, toResponse, invalid } from './errors.ts';
import { GraphqlForesporselDto } from './graphql.dto.ts';
import { QUERIES } from './graphql.queries.ts';
import { plan, type RootLookup } from './root-lookups.ts';

/** Nothing was executed, and why. */
interface GraphqlRejection {
  errors: GraphQLFormattedError[];
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
  constructor(private readonly lookups: Lookups) {}

  @Post('graphql')
  @HttpCode(200)
  @IsOperation('graphql', { mediaTypes: ['application/json', MEDIA_TYPE], saysWhatWasAsked: true })
  async graphql(
    @Body() body: GraphqlForesporselDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<GraphqlRejection | Buffer> {
    const response = await this.respond(body, request);
    const known = request.headers.accept?.includes(MEDIA_TYPE) === true;
    reply.header('content-type', `${known ? MEDIA_TYPE : 'application/json'}; charset=utf-8`);
    const status = Buffer.isBuffer(response) ? 200 : statusFor(response.errors);
    // What is not granted is 403 wherever it is asked for; of other faults, clients that know no better read `errors`.
    if (known || status === PROBLEMS.IKKE_TILGANG.status) reply.status(status);
    return response;
  }

  private async respond(body: GraphqlForesporselDto, request: FastifyRequest): Promise<GraphqlRejection | Buffer> {
    try {
      const grant = grantOf(request);
      const query = parseRequest(body, grant.dialect);
      const roots = plan(query);
      return await this.lookups.answerSteps(
        grant,
        { fields: fieldsOf(roots), persons: personsIn(request, roots), refusal: refusalOf(roots) },
        async (run) => {
          const results = await lookUpRoots(run, roots, QUERIES[query.dialect]);
          return { found: results, disclosure: disclosureOf(roots, results) };
        },
        (results) => answerText(query, results),
      );
    } catch (error) {
      return { errors: rejections(error).map(toResponse) };
    }
  }
}

/** Those of an avtale that a consumer must be granted for these. */
function fieldsOf(roots: readonly RootLookup[]): AvtaleField[] {
  return [...new Set(roots.flatMap(({ requires }) => requires))];
}

/** Whom a refusal is audited with: also one whose ident the document writes with escapes. */
function personsIn({ body }: FastifyRequest, roots: readonly RootLookup[]): string[] {
  return [...new Set([...identsIn(body), ...identsIn(roots.map(({ args }) => args))])];
}

/** That an avtale is there, or how many there are, is told to nobody who may not see a field of it. */
function refusalOf(roots: readonly RootLookup[]): string | undefined {
  const without = roots.filter(({ sources }) => sources.length === 0).map(({ field }) => field);
  return without.length === 0 ? undefined : `No field of an avtale is asked for in ${[...new Set(without)].join(', ')}`;
}

/** All of them together; a field that is answered with an error tells nothing. */
function disclosureOf(roots: RootLookup[], results: ReadonlyMap<string, RootResult>): Disclosure | undefined {
  const answered = roots.filter(({ key }) => !(results.get(key)?.answer instanceof GraphQLError));
  if (answered.length === 0) return undefined;
  const rows = [...results.values()].flatMap((result) => result.rows);
  return {
    fields: fieldsOf(answered),
    persons: [...results.values()].flatMap(({ personidenter }) => personidenter),
    deltakerIds: deltakereIn(rows),
    hits: rows.length,
  };
}

/** @throws what says nothing of the request itself: the database is away, say */
function rejections(error: unknown): readonly GraphQLError[] {
  if (error instanceof RejectedError) return error.errors;
  // A field that is not granted.
  if (error instanceof Problem && error.problemType === PROBLEMS.IKKE_TILGANG) return [forbidden(error)];
  // An argument that is null after all, as only the variables tell.
  if (error instanceof GraphQLError) return [invalid(error.message, error.nodes)];
  throw error;
}

function statusFor([error]: GraphQLFormattedError[] = []): number {
  const { IKKE_TILGANG: FORBIDDEN, UGYLDIG_FORESPORSEL: INVALID_REQUEST } = PROBLEMS;
  return error?.extensions?.['code'] === FORBIDDEN.code ? FORBIDDEN.status : INVALID_REQUEST.status;
}
