import { Body, Controller, Get, HttpCode, Post, Put, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ForRolle, tokenI } from '../tilgang/tilgang.ts';
import { lesAdapterstatus } from './adapterstatus.ts';
import { Adapterpool } from './adapterpool.ts';
import { AdapterstatusDto, HjerteslagDto, KontraktDto } from './kontrakt.dto.ts';
import { lagreKontrakt, settHjerteslag } from './kontrakt.queries.ts';
import { annensKontrakt, krevKontrakt, vurderHjerteslag } from './kontrakt.ts';
import { Synker } from './synk.ts';

/** What the adapter has promised, and whether it keeps it. */
@ApiTags('Kontrakt')
@ForRolle('adapter')
@Controller('adapter/v1')
export class KontraktController {
  constructor(
    private readonly db: Adapterpool,
    private readonly synker: Synker,
  ) {}

  @Put('kontrakt')
  @ApiOperation({ operationId: 'settKontrakt', summary: "The adapter's contract; the first client to set it owns it" })
  @ApiOkResponse({ type: KontraktDto })
  async settKontrakt(@Body() kontrakt: KontraktDto, @Req() request: FastifyRequest): Promise<KontraktDto> {
    const { azp } = tokenI(request);
    if (!(await lagreKontrakt(this.db.pool, azp, kontrakt))) throw annensKontrakt();
    return kontrakt;
  }

  @Post('hjerteslag')
  @HttpCode(200)
  @ApiOperation({ operationId: 'sendHjerteslag', summary: 'The adapter is alive' })
  @ApiOkResponse({ type: HjerteslagDto })
  @ApiConflictResponse({ description: 'There is no contract' })
  async sendHjerteslag(@Req() request: FastifyRequest): Promise<HjerteslagDto> {
    await krevKontrakt(this.db.pool, tokenI(request));
    await settHjerteslag(this.db.pool);
    return vurderHjerteslag(await krevKontrakt(this.db.pool, tokenI(request)));
  }

  @Get('status')
  @ApiOperation({ operationId: 'hentAdapterstatus', summary: 'Contract, heartbeat and the last syncs' })
  @ApiOkResponse({ type: AdapterstatusDto })
  @ApiConflictResponse({ description: 'There is no contract' })
  async hentStatus(@Req() request: FastifyRequest): Promise<AdapterstatusDto> {
    const kontrakt = await krevKontrakt(this.db.pool, tokenI(request));
    return lesAdapterstatus(this.db.pool, this.synker.frister, kontrakt);
  }
}
