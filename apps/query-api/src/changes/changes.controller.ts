import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiGoneResponse, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toRfc3339 } from '../avtaler/avtaler.fields.ts';
import { Reader } from '../lookups/reader.ts';
import { AuditLog } from '../lookups/audit-log.ts';
import { IsOperation } from '../access/operations.ts';
import { grantOf } from '../access/access.guard.ts';
import {
  EndringerDto,
  EndringssideDto,
  CHANGE_TYPES,
  DELETE_REASONS,
  UtgaattProblemDto,
  type EndringDto,
  type NyStartDto,
} from './changes.dto.ts';
import { readChanges, readFeedState, type ChangeRow, type FeedState } from './changes.queries.ts';
import { before, decodePosition, encodePosition, type FeedPosition } from './feed-position.ts';
import { FeedWaiter } from './feed-waiter.ts';

/** The change feed: for those who keep a copy, or act on changes. */
@ApiTags('Endringer')
@ApiExtraModels(UtgaattProblemDto)
@Controller('api/v1/endringer')
export class ChangesController {
  constructor(
    private readonly reading: Reader,
    private readonly feedWaiter: FeedWaiter,
    private readonly auditLog: AuditLog,
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
  async hentEndringer(
    @Query() { etter: after, antall: count, ventSekunder: waitSeconds }: EndringerDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndringssideDto> {
    const stream = await readFeedState(this.reading);
    const from = resolveStart(stream, after);
    let rows = await readChanges(this.reading, from, count);
    if (rows.length === 0 && waitSeconds > 0) {
      await this.feedWaiter.wait(from, waitSeconds, abortOnDisconnect(reply));
      rows = await readChanges(this.reading, from, count);
    }
    await this.auditLog.record(grantOf(request), ['avtaleId'], [], rows.length);
    const last = rows.at(-1);
    const to = last ? { tx: BigInt(last.tx), sequenceNumber: BigInt(last.lopenr) } : from;
    return {
      endringer: rows.map(toEndringDto),
      posisjon: encodePosition(stream.epoke, to),
      flere: rows.length === count,
    };
  }
}

/** @throws Problem 410 when what follows the position may be gone */
function resolveStart({ epoke: epoch, prunedUntil }: FeedState, after: string | undefined): FeedPosition {
  const beginning = prunedUntil > 0n ? before(prunedUntil) : { tx: 0n, sequenceNumber: 0n };
  if (after === undefined) return beginning;
  const position = decodePosition(epoch, after);
  const isTooOld =
    position &&
    (position.tx < beginning.tx ||
      (position.tx === beginning.tx && position.sequenceNumber < beginning.sequenceNumber));
  if (position && !isTooOld) return position;
  const newStart: NyStartDto = { eksport: '/api/v1/eksport', endringer: '/api/v1/endringer' };
  throw new Problem(
    PROBLEMS.UTGAATT,
    position ? 'The position is too old' : 'The position is from another epoch of the feed',
    { felter: { nyStart: newStart } },
  );
}

/** A reader that hangs up while it waits has no need of an answer. */
function abortOnDisconnect({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  raw.once('close', () => abort.abort());
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
