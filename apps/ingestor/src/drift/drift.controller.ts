import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Synker } from '../adapter/synk.ts';
import { ForRolle } from '../tilgang/tilgang.ts';
import { HandlingerDto, SideDto, StatusDto } from './drift.dto.ts';
import { lesHandlinger } from './driftshandlinger.ts';
import { lesStatus, type Hva } from './status.ts';

/** Token of what the process serves. */
export const HVA = Symbol('hva');

@ApiTags('Drift')
@ForRolle('drift')
@Controller('drift/v1')
export class DriftController {
  constructor(
    private readonly pool: Pool,
    @Inject(HVA) private readonly hva: Hva,
    private readonly synker: Synker,
  ) {}

  @Get('status')
  @ApiOperation({
    operationId: 'hentStatus',
    summary: 'Consumer lag, freshness, the adapter, and what waits for somebody',
  })
  @ApiOkResponse({ type: StatusDto })
  hentStatus(): Promise<StatusDto> {
    return lesStatus(this.pool, this.hva, this.synker.frister);
  }

  @Get('handlinger')
  @ApiOperation({ operationId: 'hentHandlinger', summary: 'Who did what' })
  @ApiOkResponse({ type: HandlingerDto })
  async hentHandlinger(@Query() { neste, antall }: SideDto): Promise<HandlingerDto> {
    const rader = await lesHandlinger(this.pool, neste, antall);
    const siste = rader.at(-1);
    return {
      handlinger: rader.map((rad) => ({ ...rad, tidspunkt: rad.tidspunkt.toISOString() })),
      ...(siste && rader.length === antall ? { neste: siste.id } : {}),
    };
  }
}
