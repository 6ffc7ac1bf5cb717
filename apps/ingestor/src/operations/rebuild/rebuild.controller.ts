import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { actorOf, recordAction } from '../actions.queries.ts';
import { AVTALER, RessursDto } from '../ressurs.dto.ts';
import {
  BekreftGjenoppbyggingDto,
  FramdriftDto,
  ListNoeklerDto,
  NoekkelsideDto,
  StartGjenoppbyggingDto,
  UsetteDto,
  UsettSideDto,
} from './rebuild.dto.ts';
import type { RebuildProgress } from './rebuild.queries.ts';
import type { Rebuildable } from './rebuildable.ts';
import { Rebuilds } from './rebuilds.ts';

/** Reading a topic again, while what is stored is served. */
@ApiTags('Gjenoppbygging')
@ForRole('drift')
@Controller('drift/v1/gjenoppbygging')
export class RebuildController {
  constructor(
    private readonly rebuilds: Rebuilds,
    private readonly pool: Pool,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'hentGjenoppbygging', summary: 'How far the last rebuild has come' })
  @ApiOkResponse({ type: FramdriftDto })
  async hentGjenoppbygging(@Query() { ressurs: resource }: RessursDto): Promise<FramdriftDto> {
    const rebuild = this.rebuilds.of(resource);
    const last = await rebuild.rebuilt.readProgress();
    const where = { ressurser: this.rebuilds.names, aapneHull: await rebuild.countGaps() };
    const none = { lest: 0, antall: 0, rettet: 0, varslet: 0, usette: 0, startet: null, avsluttet: null };
    if (!last) return { ressurs: resource, tilstand: 'INGEN', ...none, ...where };
    const { tilstand, lest, antall, rettet, varslet, usette, startet, avsluttet } = last;
    const times = { startet: startet.toISOString(), avsluttet: avsluttet?.toISOString() ?? null };
    const end = estimateEnd(last, new Date());
    const removed =
      resource === AVTALER
        ? {}
        : { fjernet: last.fjernet, venterPaaBekreftelse: last.awaitsConfirmation, rapport: last.isReport };
    return {
      ...{ ressurs: resource, tilstand, lest, antall, rettet, varslet, usette, ...removed, ...times, ...where },
      ...(end && { ferdigOmtrent: end.toISOString() }),
    };
  }

  @Get('usette')
  @ApiOperation({
    operationId: 'listUsette',
    summary: 'Avtaler that the topic did not tell of any more in the last rebuild; they are not deleted',
  })
  @ApiOkResponse({ type: UsettSideDto })
  async listUsette(@Query() { neste: next, antall: count }: UsetteDto): Promise<UsettSideDto> {
    const { rebuilt } = this.rebuilds.of(AVTALER);
    const { keys, ...page } = await pageOf(rebuilt, rebuilt.readUnseen, { next, count });
    return { avtaleIder: keys, ...page };
  }

  @Post('noekler')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'listGjenoppbygdeNoekler',
    summary:
      'Of another resource than avtaler: the keys that its topic did not tell of any more, or whose rows were wrong; audited',
    description: 'A key may be the number of a sole trader, who is a person: it is in no URL.',
  })
  @ApiOkResponse({ type: NoekkelsideDto })
  async listGjenoppbygdeNoekler(
    @Body() { ressurs: resource, slag: kind, neste: next, antall: count }: ListNoeklerDto,
    @Req() request: FastifyRequest,
  ): Promise<NoekkelsideDto> {
    const { rebuilt } = this.rebuilds.of(resource);
    const read = kind === 'RETTEDE' ? rebuilt.removal?.readRepaired : rebuilt.readUnseen;
    const { keys, ...page } = await pageOf(rebuilt, read ?? rebuilt.readUnseen, { next, count });
    const shown = { handling: 'VIS_GJENOPPBYGDE_NOEKLER', gjelder: resource, antall: keys.length } as const;
    await recordAction(this.pool, actorOf(tokenOf(request)), shown);
    return { noekler: keys, ...page };
  }

  @Post()
  @HttpCode(204)
  @ApiOperation({ operationId: 'startGjenoppbygging', summary: 'Reads the topic again from its start' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'One is running' })
  async startGjenoppbygging(
    @Query() { ressurs, lukkHull, rapport }: StartGjenoppbyggingDto,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const options = { closesGaps: lukkHull === 'true', isReport: rapport === 'true' };
    await this.rebuilds.of(ressurs).begin(actorOf(tokenOf(request)), options);
  }

  @Post('stopp')
  @HttpCode(204)
  @ApiOperation({ operationId: 'stoppGjenoppbygging', summary: 'Stops reading; what was put right stays so' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'None is running' })
  async stoppGjenoppbygging(@Query() { ressurs }: RessursDto, @Req() request: FastifyRequest): Promise<void> {
    await this.rebuilds.of(ressurs).cancel(actorOf(tokenOf(request)));
  }

  @Post('bekreft')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'bekreftGjenoppbygging',
    summary: 'Has those removed that the topic does not tell of any more, of another resource than avtaler',
  })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'None waits for it, or `bekreft` is not how many there are' })
  async bekreftGjenoppbygging(
    @Query() { ressurs }: RessursDto,
    @Body() { bekreft: count }: BekreftGjenoppbyggingDto,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.rebuilds.of(ressurs).confirm(count, actorOf(tokenOf(request)));
  }
}

/** Keys of the last one. */
async function pageOf(
  { readProgress }: Rebuildable,
  read: Rebuildable['readUnseen'],
  { next, count }: { next: string | undefined; count: number },
): Promise<{ keys: string[]; neste?: string }> {
  const last = await readProgress();
  const keys = last ? await read(last.id, next ?? null, count) : [];
  const lastKey = keys.at(-1);
  return { keys, ...(lastKey !== undefined && keys.length === count && { neste: lastKey }) };
}

/** Undefined when nothing runs, or nothing has been read yet. */
function estimateEnd({ tilstand, lest, antall, startet }: RebuildProgress, now: Date): Date | undefined {
  if (tilstand !== 'KJORER' || lest <= 0) return undefined;
  const elapsed = now.getTime() - startet.getTime();
  return new Date(now.getTime() + (elapsed * (antall - lest)) / lest);
}
