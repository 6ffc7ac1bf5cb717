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
import { lesInstant } from '@tiltak/avtale';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { IdDto, SideDto } from '../drift/drift.dto.ts';
import { hvemI } from '../drift/driftshandlinger.ts';
import { ForRolle, tokenI } from '../tilgang/tilgang.ts';
import {
  AvstemDto,
  DifferanserDto,
  DifferanseSideDto,
  RapportDto,
  RapportSideDto,
  RettDto,
  RettetDto,
} from './avstemming.dto.ts';
import { hentRapport, listDifferanser, listRapporter, type Rapport, type Utvalg } from './avstemming.queries.ts';
import { Avstemming } from './avstemming.ts';
import { NDJSON } from './liste.ts';
import { Retting } from './retting.ts';

const LINJER_PER_GANG = 10_000;

/** What is stored against what the source has. */
@ApiTags('Avstemming')
@ForRolle('drift')
@Controller('drift/v1/avstemming')
export class AvstemmingController {
  constructor(
    private readonly pool: Pool,
    private readonly avstemming: Avstemming,
    private readonly retting: Retting,
  ) {}

  @Post()
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
  async avstem(@Query() { kilde, per }: AvstemDto, @Req() request: FastifyRequest): Promise<RapportDto> {
    const hvem = hvemI(tokenI(request));
    if (kilde === 'TOPIC') {
      if (request.body !== undefined) throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'kilde=TOPIC takes no body');
      return tilDto(await this.avstemming.medTopic(hvem));
    }
    if (!(request.body instanceof Readable)) {
      throw new Problem(fellesFeil.FEIL_MEDIETYPE, `The body must be a list as ${NDJSON}`);
    }
    return tilDto(await this.avstemming.medListe(request.body, lesPer(per), hvem));
  }

  @Get()
  @ApiOperation({ operationId: 'listAvstemminger', summary: 'Reports, newest first; the last 50 are kept' })
  @ApiOkResponse({ type: RapportSideDto })
  async listAvstemminger(@Query() { neste, antall }: SideDto): Promise<RapportSideDto> {
    const rader = await listRapporter(this.pool, neste, antall);
    const siste = rader.at(-1);
    return { avstemminger: rader.map(tilDto), ...(siste && rader.length === antall ? { neste: siste.id } : {}) };
  }

  @Get(':id')
  @ApiOperation({ operationId: 'hentAvstemming', summary: 'One report' })
  @ApiOkResponse({ type: RapportDto })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async hentAvstemming(@Param() { id }: IdDto): Promise<RapportDto> {
    return tilDto(await this.finn(id));
  }

  @Get(':id/differanser')
  @ApiOperation({ operationId: 'listDifferanser', summary: 'The avtaler that differ, of one type' })
  @ApiOkResponse({ type: DifferanseSideDto })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async listDifferanser(@Param() { id }: IdDto, @Query() sporring: DifferanserDto): Promise<DifferanseSideDto> {
    const { per } = await this.finn(id);
    const { type, neste, antall } = sporring;
    const ferske = sporring.ferske === 'true';
    const rader = await listDifferanser(this.pool, id, { typer: [type], ferske, etter: neste, antall });
    const siste = rader.at(-1);
    const differanser = rader.map(({ rettet, ...rad }) => ({
      ...rad,
      alderSekunder: alder(per, rad.sistEndretHosKilden, rad.sistEndretHer),
      rettet: rettet?.toISOString() ?? null,
    }));
    return { differanser, ...(siste && rader.length === antall ? { neste: siste.avtaleId } : {}) };
  }

  @Get(':id/sendes-paa-nytt')
  @RouteConfig({ medietyper: [NDJSON] })
  @ApiOperation({
    operationId: 'listSendesPaaNytt',
    summary: 'What the source has to send again',
    description:
      'NDJSON, one `{"avtaleId","sistEndret"}` on each line, in the form of the list that was compared: each avtale of MANGLER and UTDATERT that is not healed.',
  })
  @ApiOkResponse({ content: { [NDJSON]: { schema: { type: 'string', description: 'Lines' } } } })
  @ApiNotFoundResponse({ description: 'There is no such report' })
  async listSendesPaaNytt(@Param() { id }: IdDto, @Res() reply: FastifyReply): Promise<void> {
    await this.finn(id);
    await reply.type(NDJSON).send(Readable.from(this.linjer(id)));
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
    @Body() { type, bekreft }: RettDto,
    @Req() request: FastifyRequest,
  ): Promise<RettetDto> {
    const hvem = hvemI(tokenI(request));
    if (type !== 'FREMMED') return this.retting.lesTilbake(id, type, hvem);
    if (bekreft === undefined) {
      throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'A deletion must be confirmed', {
        feil: [{ felt: 'bekreft', melding: 'must be how many are to be deleted' }],
      });
    }
    return this.retting.slettFremmede(id, bekreft, hvem);
  }

  private async *linjer(id: string): AsyncGenerator<string> {
    const utvalg: Utvalg = { typer: ['MANGLER', 'UTDATERT'], ferske: false, rettet: false, antall: LINJER_PER_GANG };
    for (let etter: string | undefined, bolk = LINJER_PER_GANG; bolk === LINJER_PER_GANG;) {
      const rader = await listDifferanser(this.pool, id, { ...utvalg, etter });
      yield rader
        .map(
          ({ avtaleId, sistEndretHosKilden }) => `${JSON.stringify({ avtaleId, sistEndret: sistEndretHosKilden })}\n`,
        )
        .join('');
      etter = rader.at(-1)?.avtaleId;
      bolk = rader.length;
    }
  }

  private async finn(id: string): Promise<Rapport> {
    const rapport = await hentRapport(this.pool, id);
    if (!rapport) throw new Problem(fellesFeil.FINNES_IKKE, 'There is no reconciliation with this id');
    return rapport;
  }
}

/** @throws Problem 400 */
function lesPer(per: string | undefined): Date | undefined {
  if (per === undefined) return undefined;
  const tid = lesInstant(per);
  if (tid !== undefined) return new Date(tid);
  throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The moment of the list can not be read', {
    feil: [{ felt: 'per', melding: 'must be a time with a zone, as 2026-01-31T12:00:00Z' }],
  });
}

function tilDto({ per, avsluttet, differanser, ...rest }: Rapport): RapportDto {
  return {
    ...rest,
    per: per.toISOString(),
    avsluttet: avsluttet.toISOString(),
    differanser: differanser.map(({ eldste, ...tall }) => ({
      ...tall,
      eldsteAlderSekunder: alder(per, eldste),
    })),
  };
}

/** How long the sides have differed: since the newer of them was changed. */
function alder(per: Date, ...tider: (Date | string | null)[]): number | null {
  const kjente = tider.flatMap((tid) => (tid === null ? [] : [new Date(tid).getTime()]));
  return kjente.length === 0 ? null : Math.max(0, Math.round((per.getTime() - Math.max(...kjente)) / 1_000));
}
