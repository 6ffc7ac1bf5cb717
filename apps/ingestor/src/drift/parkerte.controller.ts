import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRolle, tokenI } from '../tilgang/tilgang.ts';
import {
  AvspillingDto,
  AvspillingerDto,
  ForkastDto,
  IdDto,
  ParkerteDto,
  ParkertMedInnholdDto,
  ParkertSideDto,
  SpillAvFlereDto,
  type ParkertDto,
} from './drift.dto.ts';
import { hvemI, noter } from './driftshandlinger.ts';
import { maskerMelding, maskerNoekkel } from './maskering.ts';
import { hentParkert, listParkerte, type Parkertrad } from './parkerte.queries.ts';
import { Parkerte } from './parkerte.ts';

/** Messages that could not be used. */
@ApiTags('Parkerte meldinger')
@ForRolle('drift')
@Controller('drift/v1/parkerte')
export class ParkerteController {
  constructor(
    private readonly pool: Pool,
    private readonly parkerte: Parkerte,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listParkerte', summary: 'Parked messages, oldest first' })
  @ApiOkResponse({ type: ParkertSideDto })
  async listParkerte(@Query() { neste, antall, ...filter }: ParkerteDto): Promise<ParkertSideDto> {
    const rader = await listParkerte(this.pool, filter, neste ?? '0', antall);
    const siste = rader.at(-1);
    return { parkerte: rader.map(tilDto), ...(siste && rader.length === antall ? { neste: siste.id } : {}) };
  }

  @Get(':id')
  @ApiOperation({ operationId: 'hentParkert', summary: 'One parked message, with what is about persons hidden' })
  @ApiOkResponse({ type: ParkertMedInnholdDto })
  async hentParkert(@Param() { id }: IdDto, @Req() request: FastifyRequest): Promise<ParkertMedInnholdDto> {
    const rad = await hentParkert(this.pool, id);
    if (!rad) throw new Problem(fellesFeil.FINNES_IKKE, 'There is no parked message with this id');
    await noter(this.pool, hvemI(tokenI(request)), { handling: 'VIS_PARKERT', gjelder: id, antall: 1 });
    return { ...tilDto(rad), nokkel: maskerNoekkel(rad.nokkel), melding: maskerMelding(rad.verdi) };
  }

  @Post(':id/spill-av')
  @HttpCode(200)
  @ApiOperation({ operationId: 'spillAv', summary: 'Tries the message again, at the place it has on the topic' })
  @ApiOkResponse({ type: AvspillingDto })
  @ApiConflictResponse({ description: 'It is not parked any more' })
  async spillAv(@Param() { id }: IdDto, @Req() request: FastifyRequest): Promise<AvspillingDto> {
    return { utfall: await this.parkerte.spillAv(id, hvemI(tokenI(request))) };
  }

  @Post('spill-av')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'spillAvFlere',
    summary: 'Tries many again: all, or those with a reason or field',
    description: 'Up to 1,000 in a call, oldest first; `neste` tells that there are more.',
  })
  @ApiOkResponse({ type: AvspillingerDto })
  spillAvFlere(
    @Body() { kode, felt, alle, neste }: SpillAvFlereDto,
    @Req() request: FastifyRequest,
  ): Promise<AvspillingerDto> {
    if (kode === undefined && felt === undefined && alle !== true) {
      throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The request is not valid', {
        feil: [{ felt: 'alle', melding: 'must be true when neither kode nor felt is given' }],
      });
    }
    return this.parkerte.spillAvFlere({ kode, felt }, neste ?? '0', hvemI(tokenI(request)));
  }

  @Post(':id/forkast')
  @HttpCode(204)
  @ApiOperation({ operationId: 'forkast', summary: 'Sets the message aside for good; its bytes are kept' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'It is not parked any more' })
  async forkast(
    @Param() { id }: IdDto,
    @Body() { begrunnelse }: ForkastDto,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.parkerte.forkast(id, begrunnelse, hvemI(tokenI(request)));
  }
}

function tilDto(rad: Parkertrad): ParkertDto {
  const { id, topic, partisjon, kode, felt, aarsak, tilstand, forsok, behandletAv, begrunnelse } = rad;
  return {
    id,
    topic,
    partisjon,
    offset: Number(rad.offset),
    kode,
    felt,
    aarsak,
    tilstand,
    forsok,
    parkert: rad.parkert.toISOString(),
    behandlet: rad.behandlet?.toISOString() ?? null,
    behandletAv,
    begrunnelse,
  };
}
