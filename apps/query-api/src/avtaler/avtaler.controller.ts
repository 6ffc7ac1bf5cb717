import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { Lesing } from '../database/lesing.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { ErOperasjon } from '../tilgang/operasjoner.ts';
import { tilgangI } from '../tilgang/tilgang.ts';
import {
  AvtaleDto,
  AvtalesideDto,
  AvtaleIdDto,
  AvtaleNrDto,
  BedriftNrDto,
  DeltakerIdDto,
  SideDto,
  SokDto,
} from './avtaler.dto.ts';
import { hentMedId, hentMedNummer, sok, type Sokefilter } from './avtaler.queries.ts';
import { FELTER, HEL_AVTALE, type Rad } from './felter.ts';
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

  @Get('avtaler/:avtaleId')
  @ErOperasjon('hentAvtale')
  @ApiOperation({ operationId: 'hentAvtale', summary: 'What does this avtale say?' })
  @ApiParam({
    name: 'avtaleId',
    schema: { type: 'string', format: 'uuid' },
    example: '04d0033c-754b-4daa-b5ff-6531dc64582c',
  })
  @ApiOkResponse({ type: AvtaleDto })
  async hentAvtale(@Param() { avtaleId }: AvtaleIdDto, @Req() request: FastifyRequest): Promise<AvtaleDto> {
    return this.enkelt(request, await hentMedId(this.lesing, avtaleId, HEL_AVTALE));
  }

  @Get('avtaler/nummer/:avtaleNr')
  @ErOperasjon('hentAvtaleMedNummer')
  @ApiOperation({ operationId: 'hentAvtaleMedNummer', summary: 'What does the avtale with this number say?' })
  @ApiParam({ name: 'avtaleNr', schema: { type: 'integer', minimum: 0, maximum: 2147483647 }, example: 322 })
  @ApiOkResponse({ type: AvtaleDto })
  async hentAvtaleMedNummer(@Param() { avtaleNr }: AvtaleNrDto, @Req() request: FastifyRequest): Promise<AvtaleDto> {
    return this.enkelt(request, await hentMedNummer(this.lesing, avtaleNr, HEL_AVTALE));
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
    const etter = neste === undefined ? undefined : lesMarkoer(filter, neste);
    // One more than asked for tells whether there is a next page.
    const rader = await sok(this.lesing, filter, HEL_AVTALE, { etter, antall: antall + 1 });
    const avtaler = rader.slice(0, antall).map(tilAvtale);
    const siste = rader.length > antall ? avtaler.at(-1)?.avtaleId : undefined;
    const personer = [...(filter.personidenter ?? []), ...funnede(rader.slice(0, antall))];
    await this.oppslagslogg.skriv(tilgangI(request), FELTER, personer, avtaler.length);
    return siste === undefined ? { avtaler } : { avtaler, neste: lagMarkoer(filter, siste) };
  }

  private async enkelt(request: FastifyRequest, rad: Rad | undefined): Promise<AvtaleDto> {
    await this.oppslagslogg.skriv(tilgangI(request), FELTER, funnede(rad ? [rad] : []), rad ? 1 : 0);
    if (!rad) throw new Problem(fellesFeil.FINNES_IKKE, 'There is no such avtale');
    return tilAvtale(rad);
  }
}

function funnede(rader: Rad[]): string[] {
  return rader.flatMap((rad) => (rad['deltaker_fnr'] === null ? [] : [String(rad['deltaker_fnr'])]));
}
