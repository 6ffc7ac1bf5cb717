import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Reader } from '../lookups/reader.ts';
import { AuditLog } from '../lookups/audit-log.ts';
import { IsOperation } from '../access/operations.ts';
import { requireFields, grantOf } from '../access/access.guard.ts';
import { suppressSmall } from './suppression.ts';
import { StatistikkDto, StatistikkSporringDto } from './statistics.dto.ts';
import { SOURCES, countBy } from './statistics.queries.ts';

const MAX_CELLS = 1_000;

/** Numbers of avtaler, none of them of few. */
@ApiTags('Data')
@Controller('api/v1/statistikk')
export class StatisticsController {
  constructor(
    private readonly reading: Reader,
    private readonly auditLog: AuditLog,
  ) {}

  @Get()
  @IsOperation('hentStatistikk')
  @ApiOperation({
    operationId: 'hentStatistikk',
    summary: 'How many avtaler are there?',
    description:
      'Groups of fewer than 5 are not told of, nor can they be worked out: they are counted together, with larger ones when they are too few. There are no filters, since the difference of two answers would tell what neither does.',
  })
  @ApiOkResponse({ type: StatistikkDto })
  async hentStatistikk(
    @Query() { per }: StatistikkSporringDto,
    @Req() request: FastifyRequest,
  ): Promise<StatistikkDto> {
    const access = grantOf(request);
    const { felt: field } = SOURCES[per];
    requireFields(access, [field]);
    const table = suppressSmall(await countBy(this.reading, per), MAX_CELLS);
    await this.auditLog.record(access, [field], [], table.celler.length);
    return { per, ...table };
  }
}
