import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { ForRole } from '../access.guard.ts';
import { Adapter } from '../adapter/adapter.ts';
import { SERVED, type Served } from './served.ts';
import { StatusDto } from './status.dto.ts';
import { readStatus } from './status.queries.ts';

@ApiTags('Drift')
@ForRole('drift')
@Controller('drift/v1')
export class StatusController {
  constructor(
    private readonly pool: Pool,
    private readonly adapter: Adapter,
    @Inject(SERVED) private readonly served: Served,
  ) {}

  @Get('status')
  @ApiOperation({
    operationId: 'hentStatus',
    summary: 'Consumer lag, freshness, the adapter, and what waits for somebody',
  })
  @ApiOkResponse({ type: StatusDto })
  hentStatus(): Promise<StatusDto> {
    return readStatus(this.pool, this.served, this.adapter.syncs.deadlines);
  }
}
