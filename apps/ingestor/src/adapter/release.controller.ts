import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { Pool, type PoolClient } from 'pg';
import { ForRole, tokenOf } from '../access.guard.ts';
import { deleteContract, readContract } from './contract.queries.ts';
import { inTransaction } from '../database/transaction.ts';
import { actorOf, recordAction } from '../operations/actions.queries.ts';
import { FrigiKontraktDto } from './release.dto.ts';

/** What people on duty can do for an organisation's adapter. */
@ApiTags('Drift')
@ForRole('drift')
@Controller('drift/v1/adapter')
export class ReleaseController {
  constructor(private readonly pool: Pool) {}

  @Post('frigi')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'frigiKontrakt',
    summary: 'Releases the contract of the adapter, so that another client can set its own',
    description: 'What it has pushed stays, and so do its syncs.',
  })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'The contract is of another adapter' })
  async frigiKontrakt(
    @Body() { adapterId, aarsak: reason }: FrigiKontraktDto,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      const client = await deleteContract(db, adapterId);
      if (client === undefined) throw await notReleased(db);
      const appliesTo = `${adapterId} (${client}): ${reason}`;
      await recordAction(db, actorOf(tokenOf(request)), { handling: 'FRIGI_KONTRAKT', gjelder: appliesTo, antall: 1 });
    });
  }
}

async function notReleased(db: PoolClient): Promise<Problem> {
  if (await readContract(db)) return new Problem(PROBLEMS.KONFLIKT, 'The contract is of another adapter');
  return new Problem(PROBLEMS.FINNES_IKKE, 'There is no contract');
}
