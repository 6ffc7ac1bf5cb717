import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { SNAPSHOT, toSnapshotPosition } from '../changes/changes.queries.ts';
import { Lookups } from '../lookups/lookups.ts';
import { checkRequest, readFigures, type Figures } from './figures.ts';
import { StatistikkDto, StatistikkSporringDto } from './statistics.dto.ts';
import { GROUPED_FIELD } from './statistics.queries.ts';

/** Numbers of avtaler or participants, none of them of few. */
@ApiTags('Data')
@Controller('api/v1/statistikk')
export class StatisticsController {
  constructor(private readonly lookups: Lookups) {}

  @Get()
  @IsOperation('hentStatistikk')
  @ApiOperation({
    operationId: 'hentStatistikk',
    summary: 'How many avtaler or participants are there?',
    description:
      'Figures of one moment of the day, the same for all who ask: nothing that happens shows before the next day. Groups of fewer than 5 are not told of, nor can they be worked out: they are counted together, with larger ones when they are too few. A figure that has been told stays until the true one differs from it by 5 or more, and figures that would differ by less are told as the same; so each is the true one, or less than 5 from it. For instance the participants of each kind who are there now: `per=TILTAKSTYPE&enhet=DELTAKERE&faser=PAAGAAR`; the establishments of a company: `per=BEDRIFT&hovedenhet=910712217`.',
  })
  @ApiOkResponse({ type: StatistikkDto, description: 'The figures, without groups that are too small to be told of' })
  hentStatistikk(@Query() query: StatistikkSporringDto, @Req() request: FastifyRequest): Promise<StatistikkDto> {
    checkRequest(query);
    const { per: groupings, faser, hovedenhet } = query;
    const selectedBy = [
      ...(faser ? (['fase'] as const) : []),
      ...(hovedenhet === undefined ? [] : (['hovedenhet'] as const)),
    ];
    const fields = [...new Set([...groupings.map((per) => GROUPED_FIELD[per]), ...selectedBy])];
    return this.lookups.answerSteps(
      grantOf(request),
      { fields },
      async (run) => {
        // Of what is below it now: the figures are of a moment before.
        const position = toSnapshotPosition(await run(SNAPSHOT));
        const figures = await readFigures(run, query);
        const subset = { ...query, tidspunkt: figures.moment };
        return { found: figures, disclosure: { hits: hitsIn(figures), subset, position } };
      },
      (figures) => toStatistikk(query, figures),
    );
  }
}

function hitsIn({ points }: Figures): number {
  return points.reduce((sum, { celler: cells }) => sum + cells.length, 0);
}

/** The last point is the day asked for, or the only one. */
function toStatistikk(
  { per: [per, per2], enhet: unit = 'AVTALER', serie: series }: StatistikkSporringDto,
  { moment, points, ofDay }: Figures,
): StatistikkDto {
  const { dato, celler, ovrige } = points.at(-1) ?? { celler: [], ovrige: null };
  return {
    per: per ?? 'TILTAKSTYPE',
    ...(per2 && { per2 }),
    enhet: unit,
    ...(moment !== undefined && { tidspunkt: moment }),
    ...(ofDay && dato !== undefined && { dato }),
    celler,
    ovrige,
    ...(series && { serie: points }),
  };
}
