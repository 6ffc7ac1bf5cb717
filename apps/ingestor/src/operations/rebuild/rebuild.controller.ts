import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { isUuid } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { actorOf } from '../actions.queries.ts';
import { AVTALER, RessursDto } from '../ressurs.dto.ts';
import { BekreftGjenoppbyggingDto, FramdriftDto, UsetteDto, UsettSideDto } from './rebuild.dto.ts';
import type { RebuildProgress } from './rebuild.queries.ts';
import { Rebuilds } from './rebuilds.ts';

/** Reading a topic again, while what is stored is served. */
@ApiTags('Gjenoppbygging')
@ForRole('drift')
@Controller('drift/v1/gjenoppbygging')
export class RebuildController {
  constructor(private readonly rebuilds: Rebuilds) {}

  @Get()
  @ApiOperation({ operationId: 'hentGjenoppbygging', summary: 'How far the last rebuild has come' })
  @ApiOkResponse({ type: FramdriftDto })
  async hentGjenoppbygging(@Query() { ressurs: resource }: RessursDto): Promise<FramdriftDto> {
    const last = await this.rebuilds.of(resource).rebuilt.readProgress();
    const none = { lest: 0, antall: 0, rettet: 0, usette: 0, startet: null, avsluttet: null };
    if (!last) return { ressurs: resource, tilstand: 'INGEN', ...none };
    const { tilstand, lest, antall, rettet, usette, startet, avsluttet } = last;
    const times = { startet: startet.toISOString(), avsluttet: avsluttet?.toISOString() ?? null };
    const end = estimateEnd(last, new Date());
    const removed =
      resource === AVTALER ? {} : { fjernet: last.fjernet, venterPaaBekreftelse: last.awaitsConfirmation };
    return {
      ...{ ressurs: resource, tilstand, lest, antall, rettet, usette, ...removed, ...times },
      ...(end && { ferdigOmtrent: end.toISOString() }),
    };
  }

  @Get('usette')
  @ApiOperation({
    operationId: 'listUsette',
    summary: 'Those that the topic did not tell of any more in the last rebuild; avtaler are not deleted',
  })
  @ApiOkResponse({ type: UsettSideDto })
  async listUsette(@Query() { ressurs: resource, neste: next, antall: count }: UsetteDto): Promise<UsettSideDto> {
    const { rebuilt } = this.rebuilds.of(resource);
    if (resource === AVTALER && next !== undefined && !isUuid(next)) {
      throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The page can not be found', {
        feil: [{ felt: 'neste', melding: 'must be the neste of a page' }],
      });
    }
    const last = await rebuilt.readProgress();
    const keys = last ? await rebuilt.readUnseen(last.id, next ?? null, count) : [];
    const lastKey = keys.at(-1);
    return {
      ...(resource === AVTALER ? { avtaleIder: keys } : { avtaleIder: [], noekler: keys }),
      ...(lastKey !== undefined && keys.length === count ? { neste: lastKey } : {}),
    };
  }

  @Post()
  @HttpCode(204)
  @ApiOperation({ operationId: 'startGjenoppbygging', summary: 'Reads the topic again from its start' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'One is running' })
  async startGjenoppbygging(@Query() { ressurs }: RessursDto, @Req() request: FastifyRequest): Promise<void> {
    await this.rebuilds.of(ressurs).begin(actorOf(tokenOf(request)));
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

/** Undefined when nothing runs, or nothing has been read yet. */
function estimateEnd({ tilstand, lest, antall, startet }: RebuildProgress, now: Date): Date | undefined {
  if (tilstand !== 'KJORER' || lest <= 0) return undefined;
  const elapsed = now.getTime() - startet.getTime();
  return new Date(now.getTime() + (elapsed * (antall - lest)) / lest);
}
