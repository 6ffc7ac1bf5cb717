import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiGoneResponse, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation, OPERATIONS } from '../access/operations.ts';
import { toRfc3339 } from '../avtaler/avtaler.fields.ts';
import { Lookups } from '../lookups/lookups.ts';
import {
  EndringerDto,
  EndringssideDto,
  CHANGE_TYPES,
  DELETE_REASONS,
  UtgaattProblemDto,
  type EndringDto,
} from './changes.dto.ts';
import {
  beginningOf,
  changesQuery,
  toChangesPage,
  toPosition,
  type ChangeRow,
  type FeedState,
} from './changes.queries.ts';
import { decodePosition, encodePosition, gone, isAfter, parsePosition, type FeedPosition } from './feed-position.ts';
import { FeedWaiter } from './feed-waiter.ts';

const FIELDS = OPERATIONS.hentEndringer;

/** The change feed: for those who keep a copy, or act on changes. */
@ApiTags('Endringer')
@ApiExtraModels(UtgaattProblemDto)
@Controller('api/v1/endringer')
export class ChangesController {
  constructor(
    private readonly lookups: Lookups,
    private readonly feedWaiter: FeedWaiter,
  ) {}

  @Get()
  @IsOperation('hentEndringer')
  @ApiOperation({
    operationId: 'hentEndringer',
    summary: 'What has changed since this position?',
    description:
      'No change is skipped or given twice to a reader that goes on from `posisjon`. With `ventSekunder`, an answer at the end of the feed waits for something new. 410 when the position no longer can be used: `nyStart` tells where to start again.',
  })
  @ApiOkResponse({ type: EndringssideDto })
  @ApiGoneResponse({
    description: 'The position is from another epoch, or too old',
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(UtgaattProblemDto) } } },
  })
  hentEndringer(
    @Query() { etter: after, antall: count, ventSekunder: waitSeconds }: EndringerDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndringssideDto> {
    const grant = grantOf(request);
    return this.lookups.answerSteps(
      grant,
      { fields: FIELDS },
      async (run) => {
        const read = changesQuery(after === undefined ? undefined : parsePosition(after), count);
        let { state, rows } = toChangesPage(await run(read));
        let from = resolveStart(state, after);
        if (rows.length === 0 && waitSeconds > 0) {
          const place = { epoch: state.epoch, after: from };
          await this.feedWaiter.wait(grant.konsument, place, waitSeconds, abortOnDisconnect(reply));
          // All of it again: while it waited, the feed may have been trimmed, or another server have taken over.
          ({ state, rows } = toChangesPage(await run(read)));
          from = resolveStart(state, after);
        }
        const last = rows.at(-1);
        const position = encodePosition(state.epoch, last ? toPosition(last) : from);
        const subset = { etter: encodePosition(state.epoch, from) };
        return { found: { rows, position }, disclosure: { hits: rows.length, subset, position } };
      },
      ({ rows, position }) => ({
        endringer: rows.map(toEndringDto),
        posisjon: position,
        flere: rows.length === count,
      }),
    );
  }
}

/** @throws Problem 410 when what follows the position may be gone */
function resolveStart(state: FeedState, after: string | undefined): FeedPosition {
  const beginning = beginningOf(state);
  if (after === undefined) return beginning;
  const position = decodePosition(state.epoch, after);
  if (position && !isAfter(beginning, position)) return position;
  throw gone(position ? 'too old' : 'from another epoch of the feed');
}

/** A reader that hangs up while it waits has no need of an answer. */
function abortOnDisconnect({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  if (raw.closed) abort.abort();
  else raw.once('close', () => abort.abort());
  return abort.signal;
}

function toEndringDto({ avtale_id: avtaleId, type, aarsak: reason, tidspunkt: moment }: ChangeRow): EndringDto {
  return {
    avtaleId,
    type: knownOr(CHANGE_TYPES, type),
    ...(reason === null ? {} : { aarsak: knownOr(DELETE_REASONS, reason) }),
    tidspunkt: toRfc3339(moment),
    _links: type === 'SLETTET' ? {} : { avtale: { href: `/api/v1/avtaler/${avtaleId}` } },
  };
}

function knownOr<T extends string>(values: readonly T[], value: string): T | 'UKJENT' {
  return values.find((v) => v === value) ?? 'UKJENT';
}
