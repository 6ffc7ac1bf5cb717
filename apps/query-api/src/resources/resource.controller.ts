import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res, type Type } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiGoneResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { toRfc3339 } from '../avtaler/avtaler.fields.ts';
import { knownOr } from '../changes/changes.controller.ts';
import { CHANGE_TYPES, DELETE_REASONS, UtgaattProblemDto } from '../changes/changes.dto.ts';
import type { ChangeRow } from '../changes/changes.queries.ts';
import { closing, type Found } from '../changes/feed-reader.ts';
import { includeOrDestroy, NDJSON, sendLines } from '../export/export.controller.ts';
import { EksporthodeDto } from '../export/export.dto.ts';
import { Export } from '../export/export.ts';
import { Lookups } from '../lookups/lookups.ts';
import { isNotModified, WithETag } from '../shared/etag.ts';
import { inPieces, pieces, type Answer, type Written } from '../shared/in-pieces.ts';
import { dtosOf, type ResourceDtos } from './resource.dto.ts';
import { ResourceFeeds } from './resource-feeds.ts';
import { answeredWith, resourceOne, resourcePage } from './resource.lookups.ts';
import { membersFor, pathOf, toOne } from './resource.mapper.ts';
import { granted, type ReadResource, type ResourceOperation } from './resource.ts';

interface SearchBody extends Record<string, string | string[] | number | undefined> {
  antall: number;
  neste?: string;
  felter?: string[];
}

interface ChangesQuery {
  etter?: string;
  fra?: string;
  antall: number;
  ventSekunder: number;
}

/** The operations of a resource, made of its definition: what differs from resource to resource stands there. */
// eslint-disable-next-line max-lines-per-function -- a class of handlers as in other folders, only made here
export function resourceController(read: ReadResource): Type {
  const { resource, words } = read;
  const dtos = dtosOf(read);
  const is = (name: string): ResourceOperation => name as ResourceOperation;

  @ApiTags(words.tag)
  @ApiExtraModels(UtgaattProblemDto, EksporthodeDto, dtos.one)
  @Controller(`api/v1/${resource.name}`)
  class ResourceController {
    constructor(
      @Inject(Lookups) private readonly lookups: Lookups,
      @Inject(Export) private readonly exports: Export,
      @Inject(ResourceFeeds) private readonly feeds: ResourceFeeds,
    ) {}

    @Post('sok')
    @HttpCode(200)
    @IsOperation(is(read.operations.search))
    @ApiOperation({ operationId: read.operations.search, summary: words.search, description: SEARCH })
    @ApiBody({ type: dtos.search, examples: read.searches })
    @ApiOkResponse({ type: dtos.page, description: `A page of the ${words.several} that match, with what is granted` })
    search(@Body() body: SearchBody, @Req() request: FastifyRequest): Promise<Written<object>> {
      const { antall: size, neste: next, felter: asked, ...question } = body;
      const grant = grantOf(request);
      const fields = answeredWith(read, grant, asked);
      const lookup = resourcePage(read, question as Record<string, string | string[]>, fields, { size, next });
      const toJson = toOne(read, fields);
      return this.lookups.answer(grant, lookup, (rows, cursor) =>
        inPieces({ [words.several]: pieces(rows, toJson), ...(cursor !== undefined && { neste: cursor }) }),
      );
    }

    @Get('endringer')
    @IsOperation(is(read.operations.changes))
    @ApiOperation({ operationId: read.operations.changes, summary: words.changes, description: CHANGES })
    @ApiOkResponse({ type: dtos.changes, description: 'What comes after the position, and where to go on from' })
    @ApiGoneResponse({
      description: 'The position is from another epoch or feed, or too old',
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(UtgaattProblemDto) } } },
    })
    changes(
      @Query() { etter: after, fra, antall: count, ventSekunder: waitSeconds }: ChangesQuery,
      @Req() request: FastifyRequest,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<Answer<object>> {
      const grant = grantOf(request);
      const question = { after, fromNow: fra !== undefined, count, waitSeconds };
      return this.lookups.answerSteps(
        grant,
        { fields: [granted(read, resource.key)], isNarrowed: true },
        async (run) => {
          const found = await this.feeds.of(read).reader.find(run, grant, question, closing(reply));
          const { rows, position, from } = found;
          return { found, disclosure: { hits: rows.length, subset: { etter: from }, position } };
        },
        (found) => (found.answer ??= changesAnswer(read, found, count)),
      );
    }

    @Get('eksport')
    @IsOperation(is(read.operations.export), { mediaTypes: [NDJSON] })
    @ApiOperation({ operationId: read.operations.export, summary: words.export, description: EXPORT })
    @ApiOkResponse({ description: 'The first line, and then one for each', content: exportContent(dtos) })
    async export(
      @Query() { felter: asked }: { felter?: string[] },
      @Req() request: FastifyRequest,
      @Res() reply: FastifyReply,
    ): Promise<void> {
      const grant = grantOf(request);
      const fields = answeredWith(read, grant, asked);
      const { feed } = this.feeds.of(read);
      const content = { feed, view: `${resource.table}_synlig`, members: membersFor(read, fields) };
      const lines = await this.lookups.answerSteps(
        grant,
        { fields: fields.map((field) => granted(read, field)), isNarrowed: true },
        async () => {
          const stream = await this.exports.startOf(grant.konsument, content);
          includeOrDestroy(grant, stream.updatedToMs, stream.lines, content.view);
          const disclosure = { hits: stream.count, subset: { alle: true }, position: stream.position };
          return { found: stream.lines, disclosure, discard: () => void stream.lines.destroy() };
        },
        (found) => found,
      );
      await sendLines(request, reply, lines);
    }

    @Get(`:${resource.key}`)
    @IsOperation(is(read.operations.one))
    @ApiOperation({ operationId: read.operations.one, summary: words.oneQuestion })
    @ApiParam({
      name: resource.key,
      schema: { type: 'string', pattern: read.keyPattern, example: read.examples[resource.key] },
    })
    @WithETag(dtos.one)
    one(
      @Param() params: Record<string, string>,
      @Req() request: FastifyRequest,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): Promise<object | undefined> {
      const grant = grantOf(request);
      const fields = answeredWith(read, grant);
      const toJson = toOne(read, fields);
      return this.lookups.answer(grant, resourceOne(read, fields, params[resource.key] ?? ''), ([row]) => {
        if (!row) throw new Problem(PROBLEMS.FINNES_IKKE, `There is no such ${words.one}`);
        const one = toJson(row);
        return isNotModified(request, reply, one) ? undefined : one;
      });
    }
  }
  describeForms(ResourceController, dtos);
  return ResourceController;
}

const SEARCH =
  'All criteria given must hold; without any, all of them. Each needs a grant for the field that it reads. Follow `neste` until it is absent: a page looks at a bounded number, so it may have fewer than `antall`, or none, and still not be the last.';
const CHANGES =
  'No change is skipped or given twice to a reader that goes on from `posisjon`, which is of this feed only. With `ventSekunder`, an answer at the end of the feed waits for something new. 410 when the position no longer can be used: `nyStart` tells where to start again.';
const EXPORT =
  'One JSON object on each line: first an `Eksporthode`, then each of them, without links, in no order, all from one moment. Go on with the change feed from `posisjon`; what changed while the export was read may come there once more. Compressed with br or gzip when that is accepted.';

/** What the parameters of handlers are: in a class that is made, decorators can't see it. */
function describeForms(controller: Type, { search, changesQuery, exportQuery, key }: ResourceDtos): void {
  const forms = {
    search: [search, Object],
    changes: [changesQuery, Object, Object],
    export: [exportQuery, Object, Object],
    one: [key, Object, Object],
  };
  for (const [handler, types] of Object.entries(forms)) {
    Reflect.defineMetadata('design:paramtypes', types, controller.prototype as object, handler);
  }
}

function exportContent({
  one,
}: ResourceDtos): Record<
  string,
  { schema: { type: 'string'; format: string; description: string }; 'x-itemSchema': object }
> {
  return {
    [NDJSON]: {
      schema: { type: 'string', format: 'binary', description: 'An `Eksporthode`, then `antall` times one of them' },
      'x-itemSchema': { anyOf: [EksporthodeDto, one].map((dto) => ({ $ref: getSchemaPath(dto) })) },
    },
  };
}

function changesAnswer(
  read: ReadResource,
  { rows, position }: Found<Answer<object>>,
  count: number,
): Promise<Answer<object>> {
  const toChange = ({ noekkel: key, type, aarsak: reason, tidspunkt: moment }: ChangeRow): object => ({
    [read.resource.key]: key,
    type: knownOr(CHANGE_TYPES, type),
    ...(reason === null ? {} : { aarsak: knownOr(DELETE_REASONS, reason) }),
    tidspunkt: toRfc3339(moment),
    _links: type === 'SLETTET' ? {} : { [read.words.one]: { href: pathOf(read, key) } },
  });
  return inPieces({ endringer: pieces(rows, toChange), posisjon: position, flere: rows.length === count });
}
