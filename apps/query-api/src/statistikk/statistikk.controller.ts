import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Lesing } from '../database/lesing.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { ErOperasjon } from '../tilgang/operasjoner.ts';
import { krevFelter, tilgangI } from '../tilgang/tilgang.ts';
import { skjulSmaa } from './skjuling.ts';
import { StatistikkDto, StatistikkSporringDto } from './statistikk.dto.ts';
import { KILDER, tell } from './statistikk.queries.ts';

const MAKS_CELLER = 1_000;

/** Numbers of avtaler, none of them of few. */
@ApiTags('Data')
@Controller('api/v1/statistikk')
export class StatistikkController {
  constructor(
    private readonly lesing: Lesing,
    private readonly oppslagslogg: Oppslagslogg,
  ) {}

  @Get()
  @ErOperasjon('hentStatistikk')
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
    const tilgang = tilgangI(request);
    const { felt } = KILDER[per];
    krevFelter(tilgang, [felt]);
    const tabell = skjulSmaa(await tell(this.lesing, per), MAKS_CELLER);
    await this.oppslagslogg.skriv(tilgang, [felt], [], tabell.celler.length);
    return { per, ...tabell };
  }
}
