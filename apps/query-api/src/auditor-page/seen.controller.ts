import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { currentContext } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Reading } from '../audit/reading.ts';
import { auditorOf } from './auditors.ts';
import { AskReportDto, AskSeenDto, SeenAnswerDto } from './seen.dto.ts';
import { SeenReader } from './seen-reader.ts';

const [PDF, JSON_TYPE] = ['application/pdf', 'application/json'];
const LACKING = 'A month that is asked for has left the database, and its file is not in the archive';

/** Asked by POST, so that no ident stands in an address. */
@ApiTags('Innsyn')
@Controller('revisor/v1')
export class SeenController {
  constructor(private readonly reader: SeenReader) {}

  @Post('oppslag')
  @HttpCode(200)
  @RouteConfig({ isAskedBySession: true })
  @ApiOperation({
    operationId: 'hentOppslag',
    summary: 'Who has seen this person?',
    description:
      'Also by what names nobody (exports, changes, statistics) and may have held the person. Why is kept before anything is read, with who asked by their token; also when nothing could be read.',
  })
  @ApiOkResponse({ type: SeenAnswerDto })
  @ApiConflictResponse({ description: LACKING })
  hentOppslag(@Body() asked: AskSeenDto, @Req() request: FastifyRequest): Promise<SeenAnswerDto> {
    return this.reader.seen(asked, whoAsks(request));
  }

  @Post('innsyn')
  @HttpCode(200)
  @RouteConfig({ isAskedBySession: true, mediaTypes: [PDF, JSON_TYPE] })
  @ApiOperation({
    operationId: 'hentInnsyn',
    summary: 'The report that the person is given, in plain Norwegian',
    description: 'A file, as PDF or as JSON. Why is kept before anything is read.',
  })
  @ApiOkResponse({
    description: 'The report',
    content: {
      [PDF]: { schema: { type: 'string', format: 'binary' } },
      [JSON_TYPE]: { schema: { type: 'object', additionalProperties: true } },
    },
  })
  @ApiConflictResponse({ description: LACKING })
  async hentInnsyn(
    @Body() asked: AskReportDto,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const report = await this.reader.report(asked, whoAsks(request));
    const name = `innsyn.${asked.form.toLowerCase()}`;
    await reply
      .header('Content-Disposition', `attachment; filename="${name}"`)
      .type(asked.form === 'PDF' ? PDF : JSON_TYPE)
      .send(report);
  }
}

const whoAsks = (request: FastifyRequest): Pick<Reading, 'who' | 'callId'> => ({
  who: auditorOf(request),
  callId: currentContext()?.callId,
});
