import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiGoneResponse, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation, OPERATIONS } from '../access/operations.ts';
import { toRfc3339 } from '../avtaler/avtaler.fields.ts';
import { Lookups } from '../lookups/lookups.ts';
import { inPieces, pieces, type Answer } from '../shared/in-pieces.ts';
import {
  EndringerDto,
  EndringssideDto,
  CHANGE_TYPES,
  DELETE_REASONS,
  UtgaattProblemDto,
  type EndringDto,
} from './changes.dto.ts';
import { AVTALER_FEED, type ChangeRow } from './changes.queries.ts';
import { closing, FeedReader, type Found } from './feed-reader.ts';
import { SubscriptionFeed } from '../subscriptions/subscription-feed.ts';
import { FeedTail } from './feed-tail.ts';

const FIELDS = OPERATIONS.hentEndringer;

/** The change feed: for those who keep a copy, or act on changes. */
@ApiTags('Endringer')
@ApiExtraModels(UtgaattProblemDto)
@Controller('api/v1/endringer')
export class ChangesController {
  private readonly feed: FeedReader<Answer<EndringssideDto>>;

  constructor(
    private readonly lookups: Lookups,
    feedTail: FeedTail,
    private readonly subscriptions: SubscriptionFeed,
  ) {
    this.feed = new FeedReader(AVTALER_FEED, feedTail);
  }

  @Get()
  @IsOperation('hentEndringer')
  @ApiOperation({
    operationId: 'hentEndringer',
    summary: 'What has changed since this position?',
    description:
      'No change is skipped or given twice to a reader that goes on from `posisjon`. With `ventSekunder`, an answer at the end of the feed waits for something new. 410 when the position no longer can be used: `nyStart` tells where to start again. With `abonnement`, only the changes of its avtaler, with their content; one that leaves it is UTENFOR, and when a member is added what it brings comes first.',
  })
  @ApiOkResponse({ type: EndringssideDto, description: 'What comes after the position, and where to go on from' })
  @ApiGoneResponse({
    description: 'The position is from another epoch, or too old',
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(UtgaattProblemDto) } } },
  })
  hentEndringer(
    @Query() { etter: after, antall: count, ventSekunder: waitSeconds, fra, abonnement }: EndringerDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<EndringssideDto>> {
    const grant = grantOf(request);
    const fromNow = fra !== undefined;
    if (abonnement !== undefined) {
      const question = { navn: abonnement, after, fromNow, count, waitSeconds };
      return this.subscriptions.answer(grant, question, closing(reply));
    }
    const question = { after, fromNow, count, waitSeconds };
    return this.lookups.answerSteps(
      grant,
      { fields: FIELDS },
      async (run) => {
        const found = await this.feed.find(run, grant, question, closing(reply));
        const { rows, position, from } = found;
        return { found, disclosure: { hits: rows.length, subset: { etter: from }, position } };
      },
      (found) => (found.answer ??= answerOf(found, count)),
    );
  }
}

function answerOf({ rows, position }: Found<Answer<EndringssideDto>>, count: number): Promise<Answer<EndringssideDto>> {
  return inPieces<EndringssideDto>({
    endringer: pieces(rows, toEndringDto),
    posisjon: position,
    flere: rows.length === count,
  });
}

function toEndringDto({ noekkel: avtaleId, type, aarsak: reason, tidspunkt: moment }: ChangeRow): EndringDto {
  return {
    avtaleId,
    type: knownOr(CHANGE_TYPES, type),
    ...(reason === null ? {} : { aarsak: knownOr(DELETE_REASONS, reason) }),
    tidspunkt: toRfc3339(moment),
    _links: type === 'SLETTET' ? {} : { avtale: { href: `/api/v1/avtaler/${avtaleId}` } },
  };
}

export function knownOr<T extends string>(values: readonly T[], value: string): T | 'UKJENT' {
  return values.find((v) => v === value) ?? 'UKJENT';
}
