import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { ForRole } from '../../access.guard.ts';
import { Adapter } from '../../adapter/adapter.ts';
import { SERVED, type Served } from '../served.ts';
import { MaalingerDto, MaalingerQueryDto, TilstandDto } from './condition.dto.ts';
import { readCondition } from './condition.queries.ts';
import { readMeasurements } from './measurements.queries.ts';

@ApiTags('Drift')
@ForRole('drift')
@Controller('drift/v1')
export class ConditionController {
  constructor(
    private readonly pool: Pool,
    private readonly adapter: Adapter,
    @Inject(SERVED) private readonly served: Served,
  ) {}

  @Get('tilstand')
  @ApiOperation({ operationId: 'hentTilstand', summary: 'Whether anything needs somebody, and what' })
  @ApiOkResponse({ type: TilstandDto })
  hentTilstand(): Promise<TilstandDto> {
    return readCondition(this.pool, this.served, this.adapter.syncs.deadlines);
  }

  @Get('maalinger')
  @ApiOperation({ operationId: 'listMaalinger', summary: 'Lag, age and rate of the last hours' })
  @ApiOkResponse({ type: MaalingerDto })
  async listMaalinger(@Query() { timer }: MaalingerQueryDto): Promise<MaalingerDto> {
    const rows = await readMeasurements(this.pool, timer);
    return { maalinger: rows.map((row) => ({ ...row, tidspunkt: row.tidspunkt.toISOString() })) };
  }
}
