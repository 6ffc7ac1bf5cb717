import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Reader } from '../lookups/reader.ts';
import { AuditLog } from '../lookups/audit-log.ts';
import { IsOperation } from '../access/operations.ts';
import { requireFields, grantOf } from '../access/access.guard.ts';
import {
  AvtaleDto,
  AvtalesideDto,
  AvtaleIdDto,
  AvtaleNrDto,
  BedriftNrDto,
  DeltakerIdDto,
  SideDto,
  SokDto,
  UtdragSokDto,
  UtdragssideDto,
  VersjonssideDto,
  type UtdragDto,
} from './avtaler.dto.ts';
import { readById, readByNumber, readVersions, searchAvtaler, type AvtaleFilter } from './avtaler.queries.ts';
import { isNotModified, WithETag } from '../shared/etag.ts';
import {
  GRANTABLE_FIELDS,
  WHOLE_AVTALE,
  jsonMapper,
  toRfc3339,
  type AvtaleRow,
  type Selection,
} from './avtaler.fields.ts';
import { encodeCursor, decodeCursor } from '../shared/cursor.ts';
import { toAvtaleDto } from './avtaler.mapper.ts';

/** Look-ups of whole avtaler. Each is audited before it is answered. */
@ApiTags('Avtaler')
@Controller('api/v1')
export class AvtalerController {
  constructor(
    private readonly reading: Reader,
    private readonly auditLog: AuditLog,
  ) {}

  @Post('avtaler/sok')
  @HttpCode(200)
  @IsOperation('sokAvtaler')
  @ApiOperation({
    operationId: 'sokAvtaler',
    summary: 'Which avtaler match?',
    description: 'All criteria given must hold; without any, all avtaler. Follow `neste` until it is absent.',
  })
  @ApiBody({
    type: SokDto,
    examples: {
      status: { summary: 'Under way this year', value: { statuser: ['GJENNOMFORES'], antall: 10 } },
      bedrift: { summary: 'Of an employer', value: { bedriftsnumre: ['910825518'], antall: 10 } },
      periode: { summary: 'In a period', value: { periode: { fra: '2022-01-01', til: '2022-12-31' }, antall: 10 } },
    },
  })
  @ApiOkResponse({ type: AvtalesideDto })
  sokAvtaler(
    @Body() { antall: count, neste: next, ...filter }: SokDto,
    @Req() request: FastifyRequest,
  ): Promise<AvtalesideDto> {
    return this.respondWithPage(request, filter, count, next);
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
        value: { felter: ['avtaleId', 'startDato', 'sluttDato'], statuser: ['GJENNOMFORES'], antall: 10 },
      },
    },
  })
  @ApiOkResponse({ type: UtdragssideDto })
  async hentUtdrag(
    @Body() { felter: fields, antall: count, neste: next, ...filter }: UtdragSokDto,
    @Req() request: FastifyRequest,
  ): Promise<UtdragssideDto> {
    const access = grantOf(request);
    requireFields(access, fields);
    // The order in which fields were named does not matter, to the cursor or to the statement.
    const chosen = GRANTABLE_FIELDS.filter((field) => fields.includes(field));
    const { rows, ...respondWithPage } = await this.findPage(filter, [...chosen, 'avtaleId', 'deltakerId'], {
      count,
      next,
    });
    await this.auditLog.record(access, chosen, filter.personidenter ?? [], rows.length, deltakereIn(rows));
    return { avtaler: rows.map(jsonMapper<UtdragDto>(chosen)), ...respondWithPage };
  }

  @Get('avtaler/:avtaleId')
  @IsOperation('hentAvtale')
  @ApiOperation({ operationId: 'hentAvtale', summary: 'What does this avtale say?' })
  @ApiParam({
    name: 'avtaleId',
    schema: { type: 'string', format: 'uuid' },
    example: '04d0033c-754b-4daa-b5ff-6531dc64582c',
  })
  @WithETag(AvtaleDto)
  async hentAvtale(
    @Param() { avtaleId }: AvtaleIdDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AvtaleDto | undefined> {
    return this.respondWithOne(request, reply, await readById(this.reading, avtaleId, WHOLE_AVTALE));
  }

  @Get('avtaler/nummer/:avtaleNr')
  @IsOperation('hentAvtaleMedNummer')
  @ApiOperation({ operationId: 'hentAvtaleMedNummer', summary: 'What does the avtale with this number say?' })
  @ApiParam({ name: 'avtaleNr', schema: { type: 'integer', minimum: 0, maximum: 2147483647 }, example: 322 })
  @WithETag(AvtaleDto)
  async hentAvtaleMedNummer(
    @Param() { avtaleNr }: AvtaleNrDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AvtaleDto | undefined> {
    return this.respondWithOne(request, reply, await readByNumber(this.reading, avtaleNr, WHOLE_AVTALE));
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
    schema: { type: 'string', format: 'uuid' },
    example: '04d0033c-754b-4daa-b5ff-6531dc64582c',
  })
  @ApiOkResponse({ type: VersjonssideDto })
  async hentVersjoner(
    @Param() { avtaleId }: AvtaleIdDto,
    @Query() { antall: count, neste: next }: SideDto,
    @Req() request: FastifyRequest,
  ): Promise<VersjonssideDto> {
    const after = next === undefined ? '0' : decodeCursor(avtaleId, next, SEQUENCE);
    const all = await readVersions(this.reading, avtaleId, { etter: after, antall: count + 1 });
    const rows = all.slice(0, count);
    await this.auditLog.record(grantOf(request), GRANTABLE_FIELDS, [], rows.length, deltakereIn(rows));
    // Also between two pages: there was at least one more when the cursor was given.
    if (rows.length === 0) throw notFound();
    const last = all.length > count ? rows.at(-1) : undefined;
    return {
      versjoner: rows.map((row) => ({ laert: toRfc3339(row.laert), avtale: toAvtaleDto(row) })),
      ...(last ? { neste: encodeCursor(avtaleId, String(last.lopenr)) } : {}),
    };
  }

  @Get('deltakere/:deltakerId/avtaler')
  @IsOperation('hentDeltakersAvtaler')
  @ApiOperation({
    operationId: 'hentDeltakersAvtaler',
    summary: 'Which avtaler does this participant have?',
    description: 'deltakerId is opaque and comes from the links of an avtale.',
  })
  @ApiParam({ name: 'deltakerId', schema: { type: 'string', format: 'uuid' } })
  @ApiOkResponse({ type: AvtalesideDto })
  hentDeltakersAvtaler(
    @Param() { deltakerId }: DeltakerIdDto,
    @Query() { antall: count, neste: next }: SideDto,
    @Req() request: FastifyRequest,
  ): Promise<AvtalesideDto> {
    return this.respondWithPage(request, { deltakerId }, count, next);
  }

  @Get('bedrifter/:bedriftNr/avtaler')
  @IsOperation('hentBedriftensAvtaler')
  @ApiOperation({ operationId: 'hentBedriftensAvtaler', summary: 'Which avtaler does this employer have?' })
  @ApiParam({ name: 'bedriftNr', schema: { type: 'string', pattern: '^[0-9]{9}$' }, example: '910825518' })
  @ApiOkResponse({ type: AvtalesideDto })
  hentBedriftensAvtaler(
    @Param() { bedriftNr }: BedriftNrDto,
    @Query() { antall: count, neste: next }: SideDto,
    @Req() request: FastifyRequest,
  ): Promise<AvtalesideDto> {
    return this.respondWithPage(request, { bedriftsnumre: [bedriftNr] }, count, next);
  }

  private async respondWithPage(
    request: FastifyRequest,
    filter: AvtaleFilter,
    count: number,
    next: string | undefined,
  ): Promise<AvtalesideDto> {
    // How avtaler stood to each other then is not kept.
    const selection = filter.gjeldendePer === undefined ? WHOLE_AVTALE : GRANTABLE_FIELDS;
    const { rows, ...respondWithPage } = await this.findPage(filter, selection, { count, next });
    await this.auditLog.record(
      grantOf(request),
      GRANTABLE_FIELDS,
      filter.personidenter ?? [],
      rows.length,
      deltakereIn(rows),
    );
    return { avtaler: rows.map(toAvtaleDto), ...respondWithPage };
  }

  private async findPage(
    filter: AvtaleFilter,
    selection: readonly Selection[],
    { count, next }: { count: number; next: string | undefined },
  ): Promise<{ rows: AvtaleRow[]; next?: string }> {
    const searched = [filter, selection];
    const after = next === undefined ? undefined : decodeCursor(searched, next);
    // One more than asked for tells whether there is a next page.
    const all = await searchAvtaler(this.reading, filter, selection, { etter: after, antall: count + 1 });
    const rows = all.slice(0, count);
    const last = all.length > count ? rows.at(-1) : undefined;
    return last ? { rows, next: encodeCursor(searched, String(last['avtale_id'])) } : { rows };
  }

  private async respondWithOne(
    request: FastifyRequest,
    reply: FastifyReply,
    row: AvtaleRow | undefined,
  ): Promise<AvtaleDto | undefined> {
    await this.auditLog.record(grantOf(request), GRANTABLE_FIELDS, [], row ? 1 : 0, deltakereIn(row ? [row] : []));
    if (!row) throw notFound();
    const avtale = toAvtaleDto(row);
    return isNotModified(request, reply, avtale) ? undefined : avtale;
  }
}

const SEQUENCE = /\d{1,18}/;

function notFound(): Problem {
  return new Problem(PROBLEMS.FINNES_IKKE, 'There is no such avtale');
}

function deltakereIn(rows: AvtaleRow[]): string[] {
  return rows.flatMap((row) => (typeof row['deltaker_id'] === 'string' ? [row['deltaker_id']] : []));
}
