import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { SNAPSHOT, toSnapshotPosition } from '../changes/changes.queries.ts';
import { Lookups } from '../lookups/lookups.ts';
import { StatistikkDto, StatistikkSporringDto } from './statistics.dto.ts';
import { GROUPED_FIELD, groupsQuery, toGroups } from './statistics.queries.ts';
import { suppressSmall } from './suppression.ts';

const MAX_CELLS = 1_000;

/** Numbers of avtaler, none of them of few. */
@ApiTags('Data')
@Controller('api/v1/statistikk')
export class StatisticsController {
  constructor(private readonly lookups: Lookups) {}

  @Get()
  @IsOperation('hentStatistikk')
  @ApiOperation({
    operationId: 'hentStatistikk',
    summary: 'How many avtaler are there?',
    description:
      'Groups of fewer than 5 are not told of, nor can they be worked out: they are counted together, with larger ones when they are too few. There are no filters, since the difference of two answers would tell what neither does.',
  })
  @ApiOkResponse({ type: StatistikkDto })
  hentStatistikk(@Query() { per }: StatistikkSporringDto, @Req() request: FastifyRequest): Promise<StatistikkDto> {
    const fields = [GROUPED_FIELD[per]];
    return this.lookups.answerSteps(
      grantOf(request),
      { fields },
      async (run) => {
        const position = toSnapshotPosition(await run(SNAPSHOT));
        const table = suppressSmall(toGroups(per, await run(groupsQuery(per))), MAX_CELLS);
        const disclosure = { hits: table.celler.length, subset: { per }, position };
        return { found: table, disclosure };
      },
      (table) => ({ per, ...table }),
    );
  }
}
