import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Syncs } from '../adapter/sync.ts';
import { ForRole } from '../access.guard.ts';
import { HandlingerDto, SideDto, StatusDto } from './operations.dto.ts';
import { readActions } from './actions.queries.ts';
import { readStatus, type Served } from './status.queries.ts';

/** Token of what the process serves. */
export const SERVED = Symbol('hva');

@ApiTags('Drift')
@ForRole('drift')
@Controller('drift/v1')
export class OperationsController {
  constructor(
    private readonly pool: Pool,
    @Inject(SERVED) private readonly what: Served,
    private readonly syncs: Syncs,
  ) {}

  @Get('status')
  @ApiOperation({
    operationId: 'hentStatus',
    summary: 'Consumer lag, freshness, the adapter, and what waits for somebody',
  })
  @ApiOkResponse({ type: StatusDto })
  hentStatus(): Promise<StatusDto> {
    return readStatus(this.pool, this.what, this.syncs.deadlines);
  }

  @Get('handlinger')
  @ApiOperation({ operationId: 'hentHandlinger', summary: 'Who did what' })
  @ApiOkResponse({ type: HandlingerDto })
  async hentHandlinger(@Query() { neste: next, antall: count }: SideDto): Promise<HandlingerDto> {
    const rows = await readActions(this.pool, next, count);
    const last = rows.at(-1);
    return {
      handlinger: rows.map((row) => ({ ...row, tidspunkt: row.tidspunkt.toISOString() })),
      ...(last && rows.length === count ? { neste: last.id } : {}),
    };
  }
}
