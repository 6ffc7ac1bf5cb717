import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiBadRequestResponse,
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPayloadTooLargeResponse,
  ApiTags,
} from '@nestjs/swagger';
import { parseInstant } from '@tiltak/avtale';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { IdDto, PageDto } from '../paging.dto.ts';
import { actorOf } from '../operations/actions.queries.ts';
import { RapportQueryDto } from '../operations/relation-check/relation-check.dto.ts';
import { CSV, csvRow, JSON_TYPE, sendFile } from '../operations/report-file.ts';
import { ForRole, tokenOf } from '../access.guard.ts';
import {
  AvstemDto,
  DifferanserDto,
  DifferanseSideDto,
  RapportDto,
  RapportSideDto,
  RettDto,
  RettetDto,
} from './avstemming.dto.ts';
import {
  readReport,
  listDifferences,
  listReports,
  DIFFERENCE_TYPES,
  type AvstemmingReport,
  type Difference,
  type DifferenceFilter,
} from './avstemming.queries.ts';
import { Avstemming } from './avstemming.ts';
import { NDJSON } from './source-list.ts';
import { AvstemmingRepair } from './repair.ts';

const LINES_PER_CHUNK = 10_000;

/** What is stored against what the source has. */
@ApiTags('Avstemming')
@ForRole('drift')
@Controller('drift/v1/avstemming')
export class AvstemmingController {
  constructor(
    private readonly pool: Pool,
    private readonly avstemming: Avstemming,
    private readonly repair: AvstemmingRepair,
  ) {}

  @Post()
  // A list of some million avtaler takes its time.
  @RouteConfig({ maxSeconds: 600 })
  @ApiOperation({
    operationId: 'avstem',
    summary: "Compares what is stored with the source's list, or with all that the topic holds",
    description:
      'With `kilde=LISTE` the body is NDJSON, one `{"avtaleId","sistEndret"}` on each line, of every avtale that the source has. With `kilde=TOPIC` there is no body. Answers when all is compared: that takes some seconds for each million. Nothing is changed but the report.',
  })
  @ApiConsumes(NDJSON)
  @ApiBody({ required: false, schema: { type: 'string', description: 'Lines' } })
  @ApiCreatedResponse({ type: RapportDto })
  @ApiBadRequestResponse({ description: 'A line is wrong: `feil` tells its number and field. Nothing is kept' })
  @ApiConflictResponse({ description: 'One is running' })
  @ApiPayloadTooLargeResponse({ description: 'Too many lines, or one that is too long' })
  async avstem(@Query() { kilde: source, per }: AvstemDto, @Req() request: FastifyRequest): Promise<RapportDto> {
    const who = actorOf(tokenOf(request));
    if (source === 'TOPIC') {
      if (request.body !== undefined) throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'kilde=TOPIC takes no body');
      return toDto(await this.avstemming.withTopic(who));
    }
    if (!(request.body instanceof Readable)) {
      throw new Problem(PROBLEMS.FEIL_MEDIETYPE, `The body must be a list as ${NDJSON}`);
    }
    return toDto(await this.avstemming.withList(request.body, parsePer(per), who));
  }

  @Get()
  @ApiOperation({ operationId: 'listAvstemminger', summary: 'Reports, newest first; the last 50 are kept' })
  @ApiOkResponse({ type: RapportSideDto })
  async listAvstemminger(@Query() { neste: next, antall: count }: PageDto): Promise<RapportSideDto> {
    const rows = await listReports(this.pool, next, count);
    const last = rows.at(-1);
    return { avstemminger: rows.map(toDto), ...(last && rows.length === count ? { neste: last.id } : {}) };
  }

  @Get(':id')
  @ApiOperation({ operationId: 'hentAvstemming', summary: 'One report' })
  @ApiOkResponse({ type: RapportDto })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async hentAvstemming(@Param() { id }: IdDto): Promise<RapportDto> {
    return toDto(await this.find(id));
  }

  @Get(':id/differanser')
  @ApiOperation({ operationId: 'listDifferanser', summary: 'The avtaler that differ, of one type' })
  @ApiOkResponse({ type: DifferanseSideDto })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async listDifferanser(@Param() { id }: IdDto, @Query() query: DifferanserDto): Promise<DifferanseSideDto> {
    const { per } = await this.find(id);
    const { type, neste: next, antall: count } = query;
    const fresh = query.ferske === 'true';
    const rows = await listDifferences(this.pool, id, { types: [type], ferske: fresh, etter: next, antall: count });
    const last = rows.at(-1);
    const differences = rows.map(({ rettet: repaired, ...row }) => ({
      ...row,
      alderSekunder: age(per, row.sistEndretHosKilden, row.sistEndretHer),
      rettet: repaired?.toISOString() ?? null,
    }));
    return { differanser: differences, ...(last && rows.length === count ? { neste: last.avtaleId } : {}) };
  }

  @Get(':id/sendes-paa-nytt')
  @RouteConfig({ mediaTypes: [NDJSON] })
  @ApiOperation({
    operationId: 'listSendesPaaNytt',
    summary: 'What the source has to send again',
    description:
      'NDJSON, one `{"avtaleId","sistEndret"}` on each line, in the form of the list that was compared: each avtale of MANGLER and UTDATERT that is not healed.',
  })
  @ApiOkResponse({ content: { [NDJSON]: { schema: { type: 'string', description: 'Lines' } } } })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async listSendesPaaNytt(@Param() { id }: IdDto, @Res() reply: FastifyReply): Promise<void> {
    await this.find(id);
    await reply.type(NDJSON).send(Readable.from(this.lines(id)));
  }

  @Get(':id/rapport')
  @RouteConfig({ mediaTypes: [CSV, JSON_TYPE] })
  @ApiOperation({ operationId: 'hentAvstemmingsrapport', summary: 'A report as a file: every avtale that differs' })
  @ApiOkResponse({ content: { [CSV]: { schema: { type: 'string' } }, [JSON_TYPE]: { schema: { type: 'object' } } } })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async hentAvstemmingsrapport(
    @Param() { id }: IdDto,
    @Query() { form }: RapportQueryDto,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const report = toDto(await this.find(id));
    const file =
      form === 'JSON'
        ? { name: `avstemming-${id}.json`, type: JSON_TYPE, parts: this.asJson(report) }
        : { name: `avstemming-${id}.csv`, type: CSV, parts: this.asCsv(id) };
    await sendFile(reply, file);
  }

  @Post(':id/rett')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rettAvstemming',
    summary: 'Heals the differences of one type',
    description:
      'FREMMED: deleted by tombstones on the topic; `bekreft` must be how many there are. MANGLER and UTDATERT: played from the topic where it holds them; the rest is for the source to send again.',
  })
  @ApiOkResponse({ type: RettetDto })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  @ApiConflictResponse({ description: 'One is running, or `bekreft` is not how many there are' })
  async rett(
    @Param() { id }: IdDto,
    @Body() { type, bekreft: confirm }: RettDto,
    @Req() request: FastifyRequest,
  ): Promise<RettetDto> {
    const who = actorOf(tokenOf(request));
    if (type !== 'FREMMED') return this.repair.readBack(id, type, who);
    if (confirm === undefined) {
      throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'A deletion must be confirmed', {
        feil: [{ felt: 'bekreft', melding: 'must be how many are to be deleted' }],
      });
    }
    return this.repair.deleteForeign(id, confirm, who);
  }

  private async *lines(id: string): AsyncGenerator<string> {
    const filter = { types: ['MANGLER', 'UTDATERT'], ferske: false, rettet: false } as const;
    for await (const rows of this.inChunks(id, filter)) {
      const lines = rows.map(({ avtaleId, sistEndretHosKilden: sistEndret }) =>
        JSON.stringify({ avtaleId, sistEndret }),
      );
      yield lines.map((line) => `${line}\n`).join('');
    }
  }

  private async *asCsv(id: string): AsyncGenerator<string> {
    yield csvRow(['type', 'avtaleId', 'sistEndretHosKilden', 'sistEndretHer', 'rettet']);
    for await (const rows of this.inChunks(id, { types: DIFFERENCE_TYPES, ferske: false })) {
      yield rows
        .map((row) =>
          csvRow([
            row.type,
            row.avtaleId,
            row.sistEndretHosKilden,
            row.sistEndretHer,
            row.rettet?.toISOString() ?? null,
          ]),
        )
        .join('');
    }
  }

  private async *asJson(report: RapportDto): AsyncGenerator<string> {
    yield `${JSON.stringify(report).slice(0, -1)},"avtaler":[`;
    let separator = '\n';
    for await (const rows of this.inChunks(report.id, { types: DIFFERENCE_TYPES, ferske: false })) {
      for (const row of rows) {
        yield separator + JSON.stringify(row);
        separator = ',\n';
      }
    }
    yield ']}\n';
  }

  /** In order of avtaleId, some thousand at a time: a report may name a million. */
  private async *inChunks(
    id: string,
    filter: Omit<DifferenceFilter, 'antall' | 'etter'>,
  ): AsyncGenerator<Difference[]> {
    for (let after: string | undefined, chunk = LINES_PER_CHUNK; chunk === LINES_PER_CHUNK;) {
      const rows = await listDifferences(this.pool, id, { ...filter, antall: LINES_PER_CHUNK, etter: after });
      yield rows;
      after = rows.at(-1)?.avtaleId;
      chunk = rows.length;
    }
  }

  private async find(id: string): Promise<AvstemmingReport> {
    const report = await readReport(this.pool, id);
    if (!report) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no reconciliation with this id');
    return report;
  }
}

/** @throws Problem 400 */
function parsePer(per: string | undefined): Date | undefined {
  if (per === undefined) return undefined;
  const time = parseInstant(per);
  if (time !== undefined) return new Date(time);
  throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The moment of the list can not be read', {
    feil: [{ felt: 'per', melding: 'must be a time with a zone, as 2026-01-31T12:00:00Z' }],
  });
}

function toDto({ per, avsluttet: ended, differanser: differences, ...rest }: AvstemmingReport): RapportDto {
  return {
    ...rest,
    per: per.toISOString(),
    avsluttet: ended.toISOString(),
    differanser: differences.map(({ oldest, ...counts }) => ({
      ...counts,
      eldsteAlderSekunder: age(per, oldest),
    })),
  };
}

/** How long the sides have differed: since the newer of them was changed. */
function age(per: Date, ...times: (Date | string | null)[]): number | null {
  const known = times.flatMap((time) => (time === null ? [] : [new Date(time).getTime()]));
  return known.length === 0 ? null : Math.max(0, Math.round((per.getTime() - Math.max(...known)) / 1_000));
}
