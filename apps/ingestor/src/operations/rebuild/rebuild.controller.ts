import { Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { SERVED, type Served } from '../served.ts';
import { actorOf } from '../actions.queries.ts';
import { FramdriftDto, UsetteDto, UsettSideDto } from './rebuild.dto.ts';
import { readProgress, readUnseen, type RebuildProgress } from './rebuild.queries.ts';
import { Rebuild } from './rebuild.job.ts';

/** Reading the topic again, while what is stored is served. */
@ApiTags('Gjenoppbygging')
@ForRole('drift')
@Controller('drift/v1/gjenoppbygging')
export class RebuildController {
  constructor(
    private readonly pool: Pool,
    private readonly rebuild: Rebuild,
    @Inject(SERVED) private readonly served: Served,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'hentGjenoppbygging', summary: 'How far the last rebuild has come' })
  @ApiOkResponse({ type: FramdriftDto })
  async hentGjenoppbygging(): Promise<FramdriftDto> {
    const last = await readProgress(this.pool, this.served.topic);
    if (!last) return { tilstand: 'INGEN', lest: 0, antall: 0, rettet: 0, usette: 0, startet: null, avsluttet: null };
    const { tilstand, lest, antall, rettet, usette, startet, avsluttet } = last;
    const times = { startet: startet.toISOString(), avsluttet: avsluttet?.toISOString() ?? null };
    const end = estimateEnd(last, new Date());
    return { tilstand, lest, antall, rettet, usette, ...times, ...(end && { ferdigOmtrent: end.toISOString() }) };
  }

  @Get('usette')
  @ApiOperation({
    operationId: 'listUsette',
    summary: 'Avtaler that the topic did not tell of any more in the last rebuild; they are not deleted',
  })
  @ApiOkResponse({ type: UsettSideDto })
  async listUsette(@Query() { neste: next, antall: count }: UsetteDto): Promise<UsettSideDto> {
    const last = await readProgress(this.pool, this.served.topic);
    const avtaleIder = last ? await readUnseen(this.pool, last.id, next ?? null, count) : [];
    const lastId = avtaleIder.at(-1);
    return { avtaleIder, ...(lastId && avtaleIder.length === count ? { neste: lastId } : {}) };
  }

  @Post()
  @HttpCode(204)
  @ApiOperation({ operationId: 'startGjenoppbygging', summary: 'Reads the topic again from its start' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'One is running' })
  async startGjenoppbygging(@Req() request: FastifyRequest): Promise<void> {
    await this.rebuild.begin(actorOf(tokenOf(request)));
  }

  @Post('stopp')
  @HttpCode(204)
  @ApiOperation({ operationId: 'stoppGjenoppbygging', summary: 'Stops reading; what was put right stays so' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'None is running' })
  async stoppGjenoppbygging(@Req() request: FastifyRequest): Promise<void> {
    await this.rebuild.cancel(actorOf(tokenOf(request)));
  }
}

/** Undefined when nothing runs, or nothing has been read yet. */
function estimateEnd({ tilstand, lest, antall, startet }: RebuildProgress, now: Date): Date | undefined {
  if (tilstand !== 'KJORER' || lest <= 0) return undefined;
  const elapsed = now.getTime() - startet.getTime();
  return new Date(now.getTime() + (elapsed * (antall - lest)) / lest);
}
