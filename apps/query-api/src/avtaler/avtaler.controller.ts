import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Lesing } from '../database/lesing.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { ErOperasjon } from '../tilgang/operasjoner.ts';
import { krevFelter, tilgangI } from '../tilgang/tilgang.ts';
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
import { hentMedId, hentMedNummer, hentVersjoner, sok, type Sokefilter } from './avtaler.queries.ts';
import { erKjent, MedETag } from './etag.ts';
import { FELTER, HEL_AVTALE, tilJson, tilRfc3339, type Rad, type Utvalg } from './felter.ts';
import { lagMarkoer, lesMarkoer } from './markoer.ts';
import { tilAvtale } from './avtale.json.ts';

/** Look-ups of whole avtaler. Each is audited before it is answered. */
@ApiTags('Avtaler')
@Controller('api/v1')
export class AvtalerController {
  constructor(
    private readonly lesing: Lesing,
    private readonly oppslagslogg: Oppslagslogg,
  ) {}

  @Post('avtaler/sok')
  @HttpCode(200)
  @ErOperasjon('sokAvtaler')
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
  sokAvtaler(@Body() { antall, neste, ...filter }: SokDto, @Req() request: FastifyRequest): Promise<AvtalesideDto> {
    return this.side(request, filter, antall, neste);
  }

  @Post('avtaler/utdrag')
  @HttpCode(200)
  @ErOperasjon('hentUtdrag')
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
    @Body() { felter, antall, neste, ...filter }: UtdragSokDto,
    @Req() request: FastifyRequest,
  ): Promise<UtdragssideDto> {
    const tilgang = tilgangI(request);
    krevFelter(tilgang, felter);
    // The order in which fields were named does not matter, to the cursor or to the statement.
    const valgte = FELTER.filter((felt) => felter.includes(felt));
    const { rader, ...side } = await this.finn(filter, [...valgte, 'avtaleId', 'deltakerId'], { antall, neste });
    await this.oppslagslogg.skriv(tilgang, valgte, filter.personidenter ?? [], rader.length, deltakereI(rader));
    return { avtaler: rader.map(tilJson<UtdragDto>(valgte)), ...side };
  }

  @Get('avtaler/:avtaleId')
  @ErOperasjon('hentAvtale')
  @ApiOperation({ operationId: 'hentAvtale', summary: 'What does this avtale say?' })
  @ApiParam({
    name: 'avtaleId',
    schema: { type: 'string', format: 'uuid' },
    example: '04d0033c-754b-4daa-b5ff-6531dc64582c',
  })
  @MedETag(AvtaleDto)
  async hentAvtale(
    @Param() { avtaleId }: AvtaleIdDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AvtaleDto | undefined> {
    return this.enkelt(request, reply, await hentMedId(this.lesing, avtaleId, HEL_AVTALE));
  }

  @Get('avtaler/nummer/:avtaleNr')
  @ErOperasjon('hentAvtaleMedNummer')
  @ApiOperation({ operationId: 'hentAvtaleMedNummer', summary: 'What does the avtale with this number say?' })
  @ApiParam({ name: 'avtaleNr', schema: { type: 'integer', minimum: 0, maximum: 2147483647 }, example: 322 })
  @MedETag(AvtaleDto)
  async hentAvtaleMedNummer(
    @Param() { avtaleNr }: AvtaleNrDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AvtaleDto | undefined> {
    return this.enkelt(request, reply, await hentMedNummer(this.lesing, avtaleNr, HEL_AVTALE));
  }

  @Get('avtaler/:avtaleId/versjoner')
  @ErOperasjon('hentVersjoner')
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
    @Query() { antall, neste }: SideDto,
    @Req() request: FastifyRequest,
  ): Promise<VersjonssideDto> {
    const etter = neste === undefined ? '0' : lesMarkoer(avtaleId, neste, LOPENR);
    const alle = await hentVersjoner(this.lesing, avtaleId, { etter, antall: antall + 1 });
    const rader = alle.slice(0, antall);
    await this.oppslagslogg.skriv(tilgangI(request), FELTER, [], rader.length, deltakereI(rader));
    // Also between two pages: there was at least one more when the cursor was given.
    if (rader.length === 0) throw finnesIkke();
    const siste = alle.length > antall ? rader.at(-1) : undefined;
    return {
      versjoner: rader.map((rad) => ({ laert: tilRfc3339(rad.laert), avtale: tilAvtale(rad) })),
      ...(siste ? { neste: lagMarkoer(avtaleId, String(siste.lopenr)) } : {}),
    };
  }

  @Get('deltakere/:deltakerId/avtaler')
  @ErOperasjon('hentDeltakersAvtaler')
  @ApiOperation({
    operationId: 'hentDeltakersAvtaler',
    summary: 'Which avtaler does this participant have?',
    description: 'deltakerId is opaque and comes from the links of an avtale.',
  })
  @ApiParam({ name: 'deltakerId', schema: { type: 'string', format: 'uuid' } })
  @ApiOkResponse({ type: AvtalesideDto })
  hentDeltakersAvtaler(
    @Param() { deltakerId }: DeltakerIdDto,
    @Query() { antall, neste }: SideDto,
    @Req() request: FastifyRequest,
  ): Promise<AvtalesideDto> {
    return this.side(request, { deltakerId }, antall, neste);
  }

  @Get('bedrifter/:bedriftNr/avtaler')
  @ErOperasjon('hentBedriftensAvtaler')
  @ApiOperation({ operationId: 'hentBedriftensAvtaler', summary: 'Which avtaler does this employer have?' })
  @ApiParam({ name: 'bedriftNr', schema: { type: 'string', pattern: '^[0-9]{9}$' }, example: '910825518' })
  @ApiOkResponse({ type: AvtalesideDto })
  hentBedriftensAvtaler(
    @Param() { bedriftNr }: BedriftNrDto,
    @Query() { antall, neste }: SideDto,
    @Req() request: FastifyRequest,
  ): Promise<AvtalesideDto> {
    return this.side(request, { bedriftsnumre: [bedriftNr] }, antall, neste);
  }

  private async side(
    request: FastifyRequest,
    filter: Sokefilter,
    antall: number,
    neste: string | undefined,
  ): Promise<AvtalesideDto> {
    // How avtaler stood to each other then is not kept.
    const utvalg = filter.gjeldendePer === undefined ? HEL_AVTALE : FELTER;
    const { rader, ...side } = await this.finn(filter, utvalg, { antall, neste });
    await this.oppslagslogg.skriv(
      tilgangI(request),
      FELTER,
      filter.personidenter ?? [],
      rader.length,
      deltakereI(rader),
    );
    return { avtaler: rader.map(tilAvtale), ...side };
  }

  private async finn(
    filter: Sokefilter,
    utvalg: readonly Utvalg[],
    { antall, neste }: { antall: number; neste: string | undefined },
  ): Promise<{ rader: Rad[]; neste?: string }> {
    const sokt = [filter, utvalg];
    const etter = neste === undefined ? undefined : lesMarkoer(sokt, neste);
    // One more than asked for tells whether there is a next page.
    const alle = await sok(this.lesing, filter, utvalg, { etter, antall: antall + 1 });
    const rader = alle.slice(0, antall);
    const siste = alle.length > antall ? rader.at(-1) : undefined;
    return siste ? { rader, neste: lagMarkoer(sokt, String(siste['avtale_id'])) } : { rader };
  }

  private async enkelt(
    request: FastifyRequest,
    reply: FastifyReply,
    rad: Rad | undefined,
  ): Promise<AvtaleDto | undefined> {
    await this.oppslagslogg.skriv(tilgangI(request), FELTER, [], rad ? 1 : 0, deltakereI(rad ? [rad] : []));
    if (!rad) throw finnesIkke();
    const avtale = tilAvtale(rad);
    return erKjent(request, reply, avtale) ? undefined : avtale;
  }
}

const LOPENR = /\d{1,18}/;

function finnesIkke(): Problem {
  return new Problem(fellesFeil.FINNES_IKKE, 'There is no such avtale');
}

function deltakereI(rader: Rad[]): string[] {
  return rader.flatMap((rad) => (typeof rad['deltaker_id'] === 'string' ? [rad['deltaker_id']] : []));
}
