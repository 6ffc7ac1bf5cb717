import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { inTransaction } from '../../database/transaction.ts';
import { lockPosition, setPosition } from '../../kafka/positions.queries.ts';
import { metrics } from '../../metrics.ts';
import { IdDto } from '../../paging.dto.ts';
import { actorOf, recordAction, type Actor } from '../actions.queries.ts';
import { StansedeDto, StansetParkertDto } from './held.dto.ts';
import { insertParkedBatch, listHeld, readHeld, takeHeld, UNDECODABLE } from './held.queries.ts';

/** Partitions that stand still, since a batch of records can't be read. */
@ApiTags('Stansede partisjoner')
@ForRole('drift')
@Controller('drift/v1/stansede')
export class HeldController {
  constructor(private readonly pool: Pool) {}

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
    const parked = await this.park(id, actorOf(tokenOf(request)));
    metrics.parked.inc({ kode: UNDECODABLE, felt: '' });
    return { parkert: parked };
  }

  /** Who consumes the partition sees by the position that it is to go on: it may be another process. */
  private async park(id: string, who: Actor): Promise<string> {
    const held = await readHeld(this.pool, id);
    if (!held) throw new Problem(PROBLEMS.FINNES_IKKE, 'No partition stands still with this id');
    return inTransaction(this.pool, async (db) => {
      const place = { topic: held.topic, epoch: held.epoke, partition: held.partisjon };
      const position = await lockPosition(db, place);
      const content = await takeHeld(db, id);
      const last = Number(held.tilOffset);
      if (!content || position === undefined || position > last) {
        throw new Problem(PROBLEMS.KONFLIKT, 'The partition has got past this batch');
      }
      const parked = await insertParkedBatch(db, held, content);
      await setPosition(db, place, last + 1);
      await recordAction(db, who, { handling: 'PARKER_STANSET', gjelder: parked, antall: 1 });
      return parked;
    });
  }
}
