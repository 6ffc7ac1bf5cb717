import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import { parseInstant } from '@tiltak/avtale';
import { PROBLEMS, Problem, type FieldError } from '@tiltak/platform';
import type { FastifyReply } from 'fastify';
import { Faults } from '../front/faults.ts';
import { Planter } from '../planting/planter.ts';
import { SandboxClock } from '../process/clock.ts';
import { readAudit } from './audit.queries.ts';
import {
  AlderDto,
  FeilDto,
  FeillisteDto,
  KlokkeDto,
  KlokkevalgDto,
  OppslagslisteDto,
  OppslagvalgDto,
} from './control.dto.ts';
import { Numbers } from './numbers.ts';
import { Surroundings } from './surroundings.ts';

const DAY_MS = 86_400_000;
/** Postgres and the source have no more. */
const [FIRST_YEAR, LAST_YEAR] = [1970, 2999];

/** What happens around the data: time, faults, who asked, and how to ask. */
@ApiTags('Omgivelser')
@Controller('sandkasse/v1')
export class ControlController {
  constructor(
    private readonly planter: Planter,
    private readonly clock: SandboxClock,
    private readonly faults: Faults,
    private readonly numbers: Numbers,
    private readonly surroundings: Surroundings,
  ) {}

  @Get('klokke')
  @ApiOperation({ operationId: 'hentKlokke', summary: 'What time is it?' })
  @ApiOkResponse({ type: KlokkeDto })
  hentKlokke(): KlokkeDto {
    return { tidspunkt: this.clock.now().toISOString(), dato: this.clock.today() };
  }

  @Post('klokke')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'stillKlokke',
    summary: 'Sets the time, forwards or backwards',
    description: 'For the query-api and its database: phases, today, the change feed and the audit follow. Tokens hold',
  })
  @ApiOkResponse({ type: KlokkeDto })
  async stillKlokke(@Body() { tidspunkt, flyttDager }: KlokkevalgDto): Promise<KlokkeDto> {
    if ((tidspunkt === undefined) === (flyttDager === undefined)) {
      throw invalid({ felt: 'tidspunkt', melding: 'either this or flyttDager must be given' });
    }
    const wanted = tidspunkt === undefined ? undefined : parseInstant(tidspunkt);
    if (tidspunkt !== undefined && wanted === undefined) {
      throw invalid({ felt: 'tidspunkt', melding: 'must be a moment with offset, for instance 2026-12-24T12:00:00Z' });
    }
    const moment = wanted === undefined ? this.daysFromNow(flyttDager ?? 0) : new Date(wanted);
    if (!(moment.getUTCFullYear() >= FIRST_YEAR && moment.getUTCFullYear() <= LAST_YEAR)) {
      const message = `must come to a year from ${String(FIRST_YEAR)} to ${String(LAST_YEAR)}`;
      throw invalid({ felt: wanted === undefined ? 'flyttDager' : 'tidspunkt', melding: message });
    }
    await this.clock.set(moment);
    return this.hentKlokke();
  }

  @Post('ferskhet')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'settAlder',
    summary: 'How old the data is said to be',
    description: '`Data-Oppdatert` stands still then, as when the source or the ingestor has stopped',
  })
  @ApiOkResponse({ type: AlderDto })
  async settAlder(@Body() { alderSekunder }: AlderDto): Promise<AlderDto> {
    await this.clock.setAge(alderSekunder);
    return { alderSekunder };
  }

  @Post('feil')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'planleggFeil',
    summary: 'The next calls of an operation go wrong in this way',
    description: 'Faults come in the order in which they were asked for, each so many times',
  })
  @ApiOkResponse({ type: FeillisteDto })
  planleggFeil(@Body() fault: FeilDto): FeillisteDto {
    const { operasjon: operation, status, retryAfter, forsinkelseMs: delayMs = 0, antall: left = 1 } = fault;
    const { bruddEtterByte: cutAfterBytes } = fault;
    this.requireUsable(fault);
    this.faults.add({ operation, status, retryAfter, delayMs, cutAfterBytes, left });
    return this.hentFeil();
  }

  @Get('feil')
  @ApiOperation({ operationId: 'hentFeil', summary: 'What is still to go wrong?' })
  @ApiOkResponse({ type: FeillisteDto })
  hentFeil(): FeillisteDto {
    return {
      feil: this.faults.list().map(({ operation, status, retryAfter, delayMs, cutAfterBytes, left }) => ({
        ...(operation === undefined ? {} : { operasjon: operation }),
        ...(status === undefined ? {} : { status }),
        ...(retryAfter === undefined ? {} : { retryAfter }),
        ...(delayMs === 0 ? {} : { forsinkelseMs: delayMs }),
        ...(cutAfterBytes === undefined ? {} : { bruddEtterByte: cutAfterBytes }),
        antall: left,
      })),
    };
  }

  @Delete('feil')
  @HttpCode(204)
  @ApiOperation({ operationId: 'fjernFeil', summary: 'Nothing more goes wrong' })
  @ApiNoContentResponse({ description: 'Nothing is to go wrong' })
  fjernFeil(): void {
    this.faults.clear();
  }

  @Get('oppslag')
  @ApiOperation({
    operationId: 'hentOppslag',
    summary: 'Who has looked up what?',
    description: 'The audit of the product. A refusal is written just after it is answered',
  })
  @ApiOkResponse({ type: OppslagslisteDto })
  async hentOppslag(@Query() filter: OppslagvalgDto): Promise<OppslagslisteDto> {
    const lookups = await readAudit(this.surroundings.owner, filter);
    return {
      oppslag: lookups.map((row) => ({
        tidspunkt: row.tidspunkt.toISOString(),
        konsument: row.konsument,
        behandlingsgrunnlag: row.behandlingsgrunnlag,
        operasjon: row.operasjon,
        felter: row.felter,
        deltakere: row.personer,
        identer: row.personer.flatMap((id) => this.planter.identOf(id) ?? []),
        antallTreff: row.antall_treff,
        tillatt: row.tillatt,
        avslag: row.avslag,
        callId: row.call_id,
        antallKall: row.antall_kall,
      })),
    };
  }

  @Get('token/:konsument')
  @ApiOperation({
    operationId: 'hentToken',
    summary: 'A token of a consumer',
    description: 'By its name in the registry. It holds for ever, whatever the clock is set to',
  })
  @ApiParam({ name: 'konsument', description: 'Its name', example: 'alt' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ type: String })
  async hentToken(@Param('konsument') konsument: string, @Res() reply: FastifyReply): Promise<void> {
    const { consumers, issuer } = this.surroundings;
    if (!consumers.names.includes(konsument)) {
      throw new Problem(PROBLEMS.FINNES_IKKE, `There is no such consumer; there are ${consumers.names.join(', ')}`);
    }
    const token = await issuer.token(consumers.clientIdOf(konsument));
    await reply.type('text/plain; charset=utf-8').send(token);
  }

  @Post('nullstill')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'nullstill',
    summary: 'As when it had just started',
    description: 'No avtaler, persons, faults or look-ups; the right time; positions of the change feed are gone (410)',
  })
  @ApiNoContentResponse({ description: 'Done' })
  async nullstill(): Promise<void> {
    this.faults.clear();
    this.numbers.reset();
    await this.clock.reset();
    await this.planter.empty();
  }

  private daysFromNow(days: number): Date {
    return new Date(this.clock.now().getTime() + days * DAY_MS);
  }

  /** @throws Problem 400 */
  private requireUsable({ operasjon, status, forsinkelseMs, bruddEtterByte, retryAfter }: FeilDto): void {
    const { operations } = this.surroundings;
    const affected = operations.filter(({ id }) => operasjon === undefined || id === operasjon);
    const errors: FieldError[] = [];
    if (affected.length === 0) {
      const names = operations.map(({ id }) => id).sort();
      errors.push({ felt: 'operasjon', melding: `must be one of ${names.join(', ')}` });
    } else if (
      operasjon !== undefined &&
      status !== undefined &&
      !affected.some(({ statuses }) => statuses.has(status))
    ) {
      errors.push({ felt: 'status', melding: 'is none that the operation answers with' });
    }
    if (status === undefined && forsinkelseMs === undefined && bruddEtterByte === undefined) {
      errors.push({ felt: 'status', melding: 'this, forsinkelseMs or bruddEtterByte must be given' });
    }
    if (status !== undefined && bruddEtterByte !== undefined) {
      errors.push({ felt: 'bruddEtterByte', melding: 'can not be given with status' });
    }
    if (retryAfter !== undefined && status !== 429 && status !== 503) {
      errors.push({ felt: 'retryAfter', melding: 'is of status 429 and 503 only' });
    }
    if (errors.length > 0) throw invalid(...errors);
  }
}

const invalid = (...errors: FieldError[]): Problem =>
  new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid', { feil: errors });
