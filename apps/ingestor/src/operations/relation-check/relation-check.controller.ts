import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { inTransaction } from '../../database/transaction.ts';
import { IdDto, PageDto } from '../../paging.dto.ts';
import { actorOf, recordAction } from '../actions.queries.ts';
import { CSV, csvRow, JSON_TYPE, sendFile } from '../report-file.ts';
import {
  BestiltRelasjonskontrollDto,
  KontrollerRelasjonerDto,
  RapportQueryDto,
  RelasjonskontrollDto,
  RelasjonskontrollSideDto,
} from './relation-check.dto.ts';
import {
  listRelationReports,
  orderRelationCheck,
  readRelationReport,
  type RelationReport,
} from './relation-check.queries.ts';

/** The stored relations against those that follow from the avtaler. */
@ApiTags('Relasjoner')
@ForRole('drift')
@Controller('drift/v1/relasjonskontroll')
export class RelationCheckController {
  constructor(private readonly pool: Pool) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    operationId: 'kontrollerRelasjoner',
    summary: 'Has the relations of all participants checked',
    description: 'It is done within seconds by one of the ingestors, and the report tells when it has ended.',
  })
  @ApiAcceptedResponse({ type: BestiltRelasjonskontrollDto })
  @ApiConflictResponse({ description: 'One is waited for, or under way' })
  async kontrollerRelasjoner(
    @Body() { rett: repair = false }: KontrollerRelasjonerDto,
    @Req() request: FastifyRequest,
  ): Promise<BestiltRelasjonskontrollDto> {
    const who = actorOf(tokenOf(request));
    return inTransaction(this.pool, async (db) => {
      const id = await orderRelationCheck(db, who.hvem, repair);
      if (id === undefined) throw new Problem(PROBLEMS.KONFLIKT, 'A check of the relations is under way');
      const action = repair ? 'RETT_RELASJONER' : 'KONTROLLER_RELASJONER';
      await recordAction(db, who, { handling: action, gjelder: id, antall: null });
      return { id };
    });
  }

  @Get()
  @ApiOperation({ operationId: 'listRelasjonskontroller', summary: 'Reports, newest first; the last 50 are kept' })
  @ApiOkResponse({ type: RelasjonskontrollSideDto })
  async listRelasjonskontroller(@Query() { neste: next, antall: count }: PageDto): Promise<RelasjonskontrollSideDto> {
    const rows = await listRelationReports(this.pool, next, count);
    const last = rows.at(-1);
    return { kontroller: rows.map(toDto), ...(last && rows.length === count ? { neste: last.id } : {}) };
  }

  @Get(':id/rapport')
  @RouteConfig({ mediaTypes: [CSV, JSON_TYPE] })
  @ApiOperation({ operationId: 'hentRelasjonsrapport', summary: 'A report as a file: what differed, up to a thousand' })
  @ApiOkResponse({ content: { [CSV]: { schema: { type: 'string' } }, [JSON_TYPE]: { schema: { type: 'object' } } } })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async hentRelasjonsrapport(
    @Param() { id }: IdDto,
    @Query() { form }: RapportQueryDto,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const report = await readRelationReport(this.pool, id);
    if (!report) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no check of the relations with this id');
    const name = `relasjonskontroll-${id}`;
    const { avvik: deviations, ...counts } = report;
    if (form === 'JSON') {
      const parts = [JSON.stringify({ ...toDto(counts), avvik: deviations }, null, 2)];
      return sendFile(reply, { name: `${name}.json`, type: JSON_TYPE, parts });
    }
    const rows = deviations.map((one) => csvRow([one.avvik, one.relasjon, one.fra, one.til, one.deltakerId]));
    const parts = [csvRow(['avvik', 'relasjon', 'fra', 'til', 'deltakerId']), ...rows];
    return sendFile(reply, { name: `${name}.csv`, type: CSV, parts });
  }
}

function toDto({ bestilt, startet, avsluttet, ...rest }: RelationReport): RelasjonskontrollDto {
  return {
    ...rest,
    bestilt: bestilt.toISOString(),
    startet: startet?.toISOString() ?? null,
    avsluttet: avsluttet?.toISOString() ?? null,
  };
}
