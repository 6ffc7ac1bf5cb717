import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { ForRole } from '../access.guard.ts';
import { PageDto } from '../paging.dto.ts';
import { HandlingerDto } from './actions.dto.ts';
import { readActions } from './actions.queries.ts';

@ApiTags('Drift')
@ForRole('drift')
@Controller('drift/v1')
export class ActionsController {
  constructor(private readonly pool: Pool) {}

  @Get('handlinger')
  @ApiOperation({ operationId: 'hentHandlinger', summary: 'Who did what' })
  @ApiOkResponse({ type: HandlingerDto })
  async hentHandlinger(@Query() { neste: before, antall }: PageDto): Promise<HandlingerDto> {
    const rows = await readActions(this.pool, before, antall);
    const last = rows.at(-1);
    return {
      handlinger: rows.map((row) => ({ ...row, tidspunkt: row.tidspunkt.toISOString() })),
      ...(last && rows.length === antall ? { neste: last.id } : {}),
    };
  }
}
