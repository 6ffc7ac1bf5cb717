import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GRANTABLE_FIELDS, MAX_BEDRIFT_NR } from '@tiltak/avtale';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { Lookups, type Lookup } from '../lookups/lookups.ts';
import { isNotModified, WithETag } from '../shared/etag.ts';
import type { Written } from '../shared/in-pieces.ts';
import {
  AvtaleDto,
  AvtalesideDto,
  AvtaleIdDto,
  AvtaleNrDto,
  AvtalefaseSideDto,
  BedriftNrDto,
  DeltakerIdDto,
  SideDto,
  SokDto,
  UtdragSokDto,
  UtdragssideDto,
  VersjonssideDto,
} from './avtaler.dto.ts';
import { wholeFields, type AvtaleRow } from './avtaler.fields.ts';
import {
  avtaleById,
  avtaleByNumber,
  extractPage,
  searchPage,
  versionsPage,
  type PageRequest,
} from './avtaler.lookups.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';
import { toAvtaleDto, toAvtaleside, toUtdragsside, toVersjonsside } from './avtaler.mapper.ts';

/** Look-ups of whole avtaler. Each is audited before it is answered. */
@ApiTags('Avtaler')
@Controller('api/v1')
export class AvtalerController {
  constructor(private readonly lookups: Lookups) {}

  @Post('avtaler/sok')
  @HttpCode(200)
  @IsOperation('sokAvtaler')
  @ApiOperation({
    operationId: 'sokAvtaler',
    summary: 'Which avtaler match?',
    description:
      'All criteria given must hold; without any, all avtaler. Follow `neste` until it is absent: a page may have fewer avtaler than `antall`, or none, and still not be the last. One looks at a bounded number of avtaler, so a search that few of very many match is answered in more pages.',
  })
  @ApiBody({
    type: SokDto,
    examples: {
      fase: { summary: 'Under way today', value: { faser: ['PAAGAAR'], antall: 10 } },
      bedrift: { summary: 'Of an employer', value: { bedriftsnumre: ['910825518'], antall: 10 } },
      periode: { summary: 'In a period', value: { periode: { fra: '2026-01-01', til: '2026-12-31' }, antall: 10 } },
      fra: { summary: 'From a day on', value: { periode: { fra: '2026-01-01' }, antall: 10 } },
    },
  })
  @ApiOkResponse({ type: AvtalesideDto, description: 'A page of those that match, with what is granted of each' })
  sokAvtaler(
    @Body() { antall: size, neste: next, ...filter }: SokDto,
    @Req() request: FastifyRequest,
  ): Promise<Written<AvtalesideDto>> {
    return this.searchPage(request, filter, { size, next });
  }

  @Post('avtaler/utdrag')
  @HttpCode(200)
  @IsOperation('hentUtdrag')
  @ApiOperation({
    operationId: 'hentUtdrag',
    summary: 'What do these fields say in the avtaler that match?',
    description:
      'The search of sokAvtaler, for those who need less than all of it. Every field of the answer is optional.',
  })
  @ApiBody({
    type: UtdragSokDto,
    examples: {
      perioder: {
        summary: 'When they begin and end',
        value: { felter: ['avtaleId', 'startDato', 'sluttDato'], faser: ['PAAGAAR'], antall: 10 },
      },
    },
  })
  @ApiOkResponse({ type: UtdragssideDto, description: 'A page of those that match, with the fields asked for' })
  hentUtdrag(
    @Body() { felter, antall: size, neste: next, ...filter }: UtdragSokDto,
    @Req() request: FastifyRequest,
  ): Promise<Written<UtdragssideDto>> {
    // The order in which fields were named does not matter, to the cursor or to the statement.
    const fields = GRANTABLE_FIELDS.filter((field) => felter.includes(field));
    const grant = grantOf(request);
    return this.lookups.answer(grant, extractPage(grant, filter, fields, { size, next }), (rows, nextCursor) =>
      toUtdragsside(fields, rows, nextCursor),
    );
  }

  @Get('avtaler/:avtaleId')
  @IsOperation('hentAvtale')
  @ApiOperation({ operationId: 'hentAvtale', summary: 'What does this avtale say?' })
  @ApiParam({
    name: 'avtaleId',
    schema: { type: 'string', format: 'uuid', example: '04d0033c-754b-4daa-b5ff-6531dc64582c' },
  })
  @WithETag(AvtaleDto)
  hentAvtale(
    @Param() { avtaleId }: AvtaleIdDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AvtaleDto | undefined> {
    return this.answerOne(avtaleById(grantOf(request), avtaleId), request, reply);
  }

  @Get('avtaler/nummer/:avtaleNr')
  @IsOperation('hentAvtaleMedNummer')
  @ApiOperation({ operationId: 'hentAvtaleMedNummer', summary: 'What does the avtale with this number say?' })
  @ApiParam({ name: 'avtaleNr', schema: { type: 'integer', minimum: 0, maximum: 2147483647, example: 322 } })
  @WithETag(AvtaleDto)
  hentAvtaleMedNummer(
    @Param() { avtaleNr }: AvtaleNrDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AvtaleDto | undefined> {
    return this.answerOne(avtaleByNumber(grantOf(request), avtaleNr), request, reply);
  }

  @Get('avtaler/:avtaleId/versjoner')
  @IsOperation('hentVersjoner')
  @ApiOperation({
    operationId: 'hentVersjoner',
    summary: 'What has this avtale said before?',
    description: 'Every version that was to be seen in its time. An avtale that is erased has no history.',
  })
  @ApiParam({
    name: 'avtaleId',
    schema: { type: 'string', format: 'uuid', example: '04d0033c-754b-4daa-b5ff-6531dc64582c' },
  })
  @ApiOkResponse({ type: VersjonssideDto, description: 'A page of its versions, oldest first' })
  hentVersjoner(
    @Param() { avtaleId }: AvtaleIdDto,
    @Query() { antall: size, neste: next }: SideDto,
    @Req() request: FastifyRequest,
  ): Promise<Written<VersjonssideDto>> {
    const grant = grantOf(request);
    const toPage = toVersjonsside(wholeFields(grant));
    return this.lookups.answer(grant, versionsPage(grant, avtaleId, { size, next }), (rows, nextCursor) => {
      // Also between two pages: there was at least one more when the cursor was given.
      if (rows.length === 0) throw notFound();
      return toPage(rows, nextCursor);
    });
  }

  @Get('deltakere/:deltakerId/avtaler')
  @IsOperation('hentDeltakersAvtaler')
  @ApiOperation({
    operationId: 'hentDeltakersAvtaler',
    summary: 'Which avtaler does this participant have?',
    description: 'deltakerId is opaque and comes from the links of an avtale.',
  })
  @ApiParam({ name: 'deltakerId', schema: { type: 'string', format: 'uuid' } })
  @ApiOkResponse({ type: AvtalesideDto, description: 'A page of them; an empty one when there are none' })
  hentDeltakersAvtaler(
    @Param() { deltakerId }: DeltakerIdDto,
    @Query() { antall: size, neste: next, ...phase }: AvtalefaseSideDto,
    @Req() request: FastifyRequest,
  ): Promise<Written<AvtalesideDto>> {
    return this.searchPage(request, { deltakerId, ...phase }, { size, next });
  }

  @Get('bedrifter/:bedriftNr/avtaler')
  @IsOperation('hentBedriftensAvtaler')
  @ApiOperation({
    operationId: 'hentBedriftensAvtaler',
    summary: 'Which avtaler does this employer have?',
    description:
      'Follow `neste` until it is absent: a page may have fewer avtaler than `antall`, or none, and still not be the last. One looks at a bounded number of avtaler.',
  })
  @ApiParam({
    name: 'bedriftNr',
    schema: { type: 'string', minLength: 1, maxLength: MAX_BEDRIFT_NR, example: '910825518' },
  })
  @ApiOkResponse({ type: AvtalesideDto, description: 'A page of them; an empty one when there are none' })
  hentBedriftensAvtaler(
    @Param() { bedriftNr }: BedriftNrDto,
    @Query() { antall: size, neste: next, ...phase }: AvtalefaseSideDto,
    @Req() request: FastifyRequest,
  ): Promise<Written<AvtalesideDto>> {
    return this.searchPage(request, { bedriftsnumre: [bedriftNr], ...phase }, { size, next });
  }

  private searchPage(
    request: FastifyRequest,
    filter: AvtaleFilter,
    page: PageRequest,
  ): Promise<Written<AvtalesideDto>> {
    const grant = grantOf(request);
    return this.lookups.answer(grant, searchPage(grant, filter, page), toAvtaleside(wholeFields(grant)));
  }

  /** A whole avtale, or nothing but 304 for a caller that has it as it is. */
  private answerOne(
    lookup: Lookup<AvtaleRow>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<AvtaleDto | undefined> {
    const grant = grantOf(request);
    return this.lookups.answer(grant, lookup, ([row]) => {
      if (!row) throw notFound();
      const avtale = toAvtaleDto(wholeFields(grant))(row);
      return isNotModified(request, reply, avtale) ? undefined : avtale;
    });
  }
}

function notFound(): Problem {
  return new Problem(PROBLEMS.FINNES_IKKE, 'There is no such avtale');
}
