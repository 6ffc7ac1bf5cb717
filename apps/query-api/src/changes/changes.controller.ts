import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiGoneResponse, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { grantOf, type Grant } from '../access/grant.ts';
import { IsOperation, OPERATIONS } from '../access/operations.ts';
import { toRfc3339 } from '../avtaler/avtaler.fields.ts';
import { Lookups, type Run } from '../lookups/lookups.ts';
import { inPieces, pieces, type Answer } from '../shared/in-pieces.ts';
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
  FEED_END,
  toChangesPage,
  toFeedEnd,
  toPosition,
  type ChangeRow,
  type ChangesPage,
  type FeedEnd,
  type FeedState,
} from './changes.queries.ts';
import { decodePosition, encodePosition, gone, isAfter, parsePosition, type FeedPosition } from './feed-position.ts';
import { SubscriptionFeed } from '../subscriptions/subscription-feed.ts';
import { FeedTail } from './feed-tail.ts';
import type { TailPage } from './feed-window.ts';

const FIELDS = OPERATIONS.hentEndringer;

/** The change feed: for those who keep a copy, or act on changes. */
@ApiTags('Endringer')
@ApiExtraModels(UtgaattProblemDto)
@Controller('api/v1/endringer')
export class ChangesController {
  constructor(
    private readonly lookups: Lookups,
    private readonly feedTail: FeedTail,
    private readonly subscriptions: SubscriptionFeed,
  ) {}

  /** Of a page that many are given: worked out once. */
  private readonly shared = new WeakMap<TailPage, Found>();

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
        const found = await this.find(run, grant, question, closing(reply));
        const { rows, position, from } = found;
        return { found, disclosure: { hits: rows.length, subset: { etter: from }, position } };
      },
      (found) => (found.answer ??= answerOf(found, count)),
    );
  }

  /**
   * What is answered is read after the wait, all of it: meanwhile the feed may have been trimmed, or another server have
   * taken over.
   */
  private async find(
    run: Run,
    grant: Grant,
    { after, fromNow, count, waitSeconds }: Question,
    closed: AbortSignal,
  ): Promise<Found> {
    if (fromNow) return foundNow(toFeedEnd(await run(FEED_END)));
    const query = changesQuery(after === undefined ? undefined : parsePosition(after), count);
    const read = async (): Promise<Found> => foundIn(toChangesPage(await run(query)), after);
    if (waitSeconds === 0) return read();
    const { konsument, atLeast } = grant;
    const until = performance.now() + waitSeconds * 1_000;
    const follow = async (position: string): Promise<Found | undefined> => {
      const page = await this.feedTail.follow({ konsument, after: position, count, until, closed });
      // Only a statement of its own can tell that the server has come so far.
      if (!page || atLeast !== undefined) return undefined;
      grant.moment.startOver();
      grant.moment.include(page.updatedToMs);
      return this.sharedOf(page, position);
    };
    const followed = after === undefined || atLeast !== undefined ? undefined : await follow(after);
    if (followed) return followed;
    const found = await read();
    if (found.rows.length > 0 || closed.aborted) return found;
    const later = await follow(found.position);
    if (later) return later;
    grant.moment.startOver();
    return read();
  }

  private sharedOf(page: TailPage, position: string): Found {
    const found = this.shared.get(page) ?? foundIn(page, position);
    this.shared.set(page, found);
    return found;
  }
}

interface Question {
  after: string | undefined;
  fromNow: boolean;
  count: number;
  waitSeconds: number;
}

interface Found {
  rows: ChangeRow[];
  /** where the page begins and ends */
  from: string;
  position: string;
  /** once it is made */
  answer?: Promise<Answer<EndringssideDto>>;
}

/** The end of the feed, as a reader who has read all of it has it. */
function foundNow({ last, ...state }: FeedEnd): Found {
  const position = encodePosition(state.epoch, last ?? beginningOf(state));
  return { rows: [], from: position, position };
}

/** @throws Problem 410 when what follows the position may be gone */
function foundIn({ state, rows }: ChangesPage, after: string | undefined): Found {
  const start = resolveStart(state, after);
  const from = encodePosition(state.epoch, start);
  const last = rows.at(-1);
  return { rows, from, position: last ? encodePosition(state.epoch, toPosition(last)) : from };
}

function answerOf({ rows, position }: Found, count: number): Promise<Answer<EndringssideDto>> {
  return inPieces<EndringssideDto>({
    endringer: pieces(rows, toEndringDto),
    posisjon: position,
    flere: rows.length === count,
  });
}

/** @throws Problem 410 when what follows the position may be gone */
function resolveStart(state: FeedState, after: string | undefined): FeedPosition {
  const beginning = beginningOf(state);
  if (after === undefined) return beginning;
  const position = decodePosition(state.epoch, after);
  if (position && !isAfter(beginning, position)) return position;
  throw gone(position ? 'too old' : 'from another epoch of the feed');
}

/** Of the response: when it is given, and when a reader hangs up, which has no need of it. */
function closing({ raw }: FastifyReply): AbortSignal {
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
