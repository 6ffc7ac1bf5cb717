import { Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRolle, tokenI } from '../tilgang/tilgang.ts';
import { HVA } from './drift.controller.ts';
import { hvemI } from './driftshandlinger.ts';
import { FramdriftDto, UsetteDto, UsettSideDto } from './gjenoppbygging.dto.ts';
import { lesFramdrift, lesUsette } from './gjenoppbygging.queries.ts';
import { Gjenoppbygging } from './gjenoppbygging.ts';
import type { Hva } from './status.ts';

/** Reading the topic again, while what is stored is served. */
@ApiTags('Gjenoppbygging')
@ForRolle('drift')
@Controller('drift/v1/gjenoppbygging')
export class GjenoppbyggingController {
  constructor(
    private readonly pool: Pool,
    private readonly gjenoppbygging: Gjenoppbygging,
    @Inject(HVA) private readonly hva: Hva,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'hentGjenoppbygging', summary: 'How far the last rebuild has come' })
  @ApiOkResponse({ type: FramdriftDto })
  async hentGjenoppbygging(): Promise<FramdriftDto> {
    const siste = await lesFramdrift(this.pool, this.hva.topic);
    if (!siste) return { tilstand: 'INGEN', lest: 0, antall: 0, rettet: 0, usette: 0, startet: null, avsluttet: null };
    const { tilstand, lest, antall, rettet, usette, startet, avsluttet } = siste;
    const tider = { startet: startet.toISOString(), avsluttet: avsluttet?.toISOString() ?? null };
    return { tilstand, lest, antall, rettet, usette, ...tider };
  }

  @Get('usette')
  @ApiOperation({
    operationId: 'listUsette',
    summary: 'Avtaler that the topic did not tell of any more in the last rebuild; they are not deleted',
  })
  @ApiOkResponse({ type: UsettSideDto })
  async listUsette(@Query() { neste, antall }: UsetteDto): Promise<UsettSideDto> {
    const siste = await lesFramdrift(this.pool, this.hva.topic);
    const avtaleIder = siste ? await lesUsette(this.pool, siste.id, neste ?? null, antall) : [];
    const sist = avtaleIder.at(-1);
    return { avtaleIder, ...(sist && avtaleIder.length === antall ? { neste: sist } : {}) };
  }

  @Post()
  @HttpCode(204)
  @ApiOperation({ operationId: 'startGjenoppbygging', summary: 'Reads the topic again from its start' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'One is running' })
  async start(@Req() request: FastifyRequest): Promise<void> {
    await this.gjenoppbygging.start(hvemI(tokenI(request)));
  }

  @Post('stopp')
  @HttpCode(204)
  @ApiOperation({ operationId: 'stoppGjenoppbygging', summary: 'Stops reading; what was put right stays so' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'None is running' })
  async stopp(@Req() request: FastifyRequest): Promise<void> {
    await this.gjenoppbygging.stopp(hvemI(tokenI(request)));
  }
}
