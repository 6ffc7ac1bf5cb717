import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { metrics } from '../../metrics.ts';
import { IdDto } from '../../paging.dto.ts';
import { SERVED, type Served } from '../served.ts';
import { actorOf } from '../actions.queries.ts';
import { StansedeDto, StansetParkertDto } from './held.dto.ts';
import { listHeld, UNDECODABLE } from './held.queries.ts';
import { parkHeld } from './park.ts';

/** Partitions that stand still, since a batch of records can't be read. */
@ApiTags('Stansede partisjoner')
@ForRole('drift')
@Controller('drift/v1/stansede')
export class HeldController {
  constructor(
    private readonly pool: Pool,
    @Inject(SERVED) private readonly served: Served,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listStansede', summary: 'Partitions that wait for a batch that can not be read' })
  @ApiOkResponse({ type: StansedeDto })
  async listStansede(): Promise<StansedeDto> {
    const rows = await listHeld(this.pool);
    return {
      stansede: rows.map(({ epoke: _, ...row }) => ({
        ...row,
        fraOffset: Number(row.fraOffset),
        tilOffset: Number(row.tilOffset),
        stanset: row.stanset.toISOString(),
        forsoekt: row.forsoekt.toISOString(),
      })),
    };
  }

  @Post(':id/parker')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'parkerStanset',
    summary: 'Parks the batch that can not be read, as it is, and lets its partition go on after it',
    description:
      'The bytes are kept as a parked message with the reason UDEKODBAR. Played back when it can be read, by a newer ' +
      'version for instance, each of its messages takes effect at its own place.',
  })
  @ApiOkResponse({ type: StansetParkertDto })
  @ApiConflictResponse({ description: 'The partition has got past it' })
  async parkerStanset(@Param() { id }: IdDto, @Req() request: FastifyRequest): Promise<StansetParkertDto> {
    const parked = await parkHeld(this.pool, this.served.identTopic, id, actorOf(tokenOf(request)));
    metrics.parked.inc({ kode: UNDECODABLE, felt: '' });
    return { parkert: parked };
  }
}
