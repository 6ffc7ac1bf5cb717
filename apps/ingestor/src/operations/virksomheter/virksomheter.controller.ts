import { Body, Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { actorOf, recordAction, type Action } from '../actions.queries.ts';
import type { State } from '../condition/checks.ts';
import { SERVED, type Served } from '../served.ts';
import { oldestOf, readPartitions } from '../status.queries.ts';
import {
  ListManglendeDto,
  ListUtenHovedenhetDto,
  ManglendeVirksomhetSideDto,
  VirksomhetsstatusDto,
  VirksomhetUtenHovedenhetSideDto,
} from './virksomheter.dto.ts';
import { listMissing, listWithoutHovedenhet, readVirksomhetFigures } from './virksomheter.queries.ts';

/** As the alerts have them. */
const LIMITS = { lag: 10_000, untold: 10_000, missingMs: 7 * 86_400_000 };

/**
 * Employers: how they come in, and what of their links does not hang together. A number may be a sole trader's, who is a
 * person: it is in no URL, and each list that shows numbers is audited.
 */
@ApiTags('Virksomheter')
@ForRole('drift')
@Controller('drift/v1/virksomheter')
export class VirksomheterController {
  constructor(
    private readonly pool: Pool,
    @Inject(SERVED) private readonly served: Served,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'hentVirksomhetsstatus',
    summary: 'How employers come in, and how many links do not hang together; names none',
  })
  @ApiOkResponse({ type: VirksomhetsstatusDto })
  async hentVirksomhetsstatus(): Promise<VirksomhetsstatusDto> {
    const topic = this.served.virksomhetTopic ?? null;
    const partitions = topic === null ? [] : await readPartitions(this.pool, topic, 'ressurs_status');
    const found = await readVirksomhetFigures(this.pool, topic ?? '');
    const status = {
      topic,
      dataOppdatert: oldestOf(partitions),
      partisjoner: partitions,
      manglende: found.missing,
      eldsteManglende: found.oldestMissing?.toISOString() ?? null,
      avtalerMedManglende: found.avtalerOfMissing,
      utenHovedenhet: found.withoutHovedenhet,
      ikkeVarslet: found.untold,
      parkerte: found.parked,
      hull: found.gaps,
    };
    return { ...status, tilstand: stateOf(status) };
  }

  @Post('manglende')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'listManglendeVirksomheter',
    summary: 'Employers that are named and not here, those that have been missing for longest first; audited',
  })
  @ApiOkResponse({ type: ManglendeVirksomhetSideDto })
  async listManglendeVirksomheter(
    @Body() { antall: count, neste }: ListManglendeDto,
    @Req() request: FastifyRequest,
  ): Promise<ManglendeVirksomhetSideDto> {
    const [microseconds = '', organisasjonsnummer = ''] = neste?.split('.') ?? [];
    const rows = await listMissing(
      this.pool,
      neste === undefined ? undefined : { microseconds, organisasjonsnummer },
      count,
    );
    await this.record(request, 'VIS_MANGLENDE_VIRKSOMHETER', rows.length);
    const last = rows.at(-1);
    return {
      manglende: rows.map(({ microseconds: _, siden, ...row }) => ({ ...row, siden: siden.toISOString() })),
      ...(last && rows.length === count && { neste: `${last.microseconds}.${last.organisasjonsnummer}` }),
    };
  }

  @Post('uten-hovedenhet')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'listVirksomheterUtenHovedenhet',
    summary: 'Employers whose chain leads into a cycle, or has too many levels, with the chain; audited',
  })
  @ApiOkResponse({ type: VirksomhetUtenHovedenhetSideDto })
  async listVirksomheterUtenHovedenhet(
    @Body() { antall: count, neste = '' }: ListUtenHovedenhetDto,
    @Req() request: FastifyRequest,
  ): Promise<VirksomhetUtenHovedenhetSideDto> {
    const rows = await listWithoutHovedenhet(this.pool, neste, count);
    await this.record(request, 'VIS_VIRKSOMHETER_UTEN_HOVEDENHET', rows.length);
    const last = rows.at(-1);
    return {
      virksomheter: rows.map(({ organisasjonsnummer, chain, isCycle }) => ({
        ...{ organisasjonsnummer, aarsak: isCycle ? 'SIRKEL' : 'FOR_MANGE_NIVAAER', kjede: chain },
      })),
      ...(last && rows.length === count && { neste: last.organisasjonsnummer }),
    };
  }

  private async record(request: FastifyRequest, action: Action, count: number): Promise<void> {
    await recordAction(this.pool, actorOf(tokenOf(request)), { handling: action, gjelder: null, antall: count });
  }
}

function stateOf(status: Omit<VirksomhetsstatusDto, 'tilstand'>): State {
  const behind = status.partisjoner.reduce((sum, { etterslep }) => sum + (etterslep ?? 0), 0);
  const { eldsteManglende: oldest, utenHovedenhet, hull, parkerte, ikkeVarslet } = status;
  const isLong = oldest !== null && Date.now() - Date.parse(oldest) > LIMITS.missingMs;
  const isWrong = isLong || utenHovedenhet > 0 || hull > 0 || parkerte > 0;
  return isWrong || behind > LIMITS.lag || ikkeVarslet > LIMITS.untold ? 'OBS' : 'BRA';
}
