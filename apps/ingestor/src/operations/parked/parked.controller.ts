import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { PROBLEMS, Problem, type FieldError } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import { ForRole, tokenOf } from '../../access.guard.ts';
import { IdDto } from '../../paging.dto.ts';
import { actorOf, recordAction } from '../actions.queries.ts';
import { ParkedBulk } from './bulk.job.ts';
import { readLastBulk, type BulkRow } from './bulk.queries.ts';
import { maskMessage, maskKey } from './masking.ts';
import {
  AvspillingDto,
  AvspillingerDto,
  ForkastDto,
  ParkerteDto,
  ParkertMedInnholdDto,
  ParkertSideDto,
  SamlehandlingDto,
  SisteSamlehandlingDto,
  SpillAvFlereDto,
  StartSamlehandlingDto,
  type ParkertDto,
} from './parked.dto.ts';
import { readParked, listParked, type ParkedRow } from './parked.queries.ts';
import { ParkedReplay } from './replay.ts';

/** Messages that could not be used. */
@ApiTags('Parkerte meldinger')
@ForRole('drift')
@Controller('drift/v1/parkerte')
export class ParkedController {
  constructor(
    private readonly pool: Pool,
    private readonly parked: ParkedReplay,
    private readonly bulk: ParkedBulk,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listParkerte', summary: 'Parked messages, oldest first' })
  @ApiOkResponse({ type: ParkertSideDto })
  async listParkerte(@Query() { neste: next, antall: count, ...filter }: ParkerteDto): Promise<ParkertSideDto> {
    const rows = await listParked(this.pool, filter, next ?? '0', count);
    const last = rows.at(-1);
    return { parkerte: rows.map(toDto), ...(last && rows.length === count ? { neste: last.id } : {}) };
  }

  @Post('samlet')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'startSamlehandling',
    summary: 'Replays or discards all that wait, or all with a reason or field, in one action',
    description:
      'It goes on in the background, piece by piece, also when a process ends meanwhile; hentSamlehandling tells how far it has come. Those that are parked later are not touched.',
  })
  @ApiAcceptedResponse({ type: SamlehandlingDto })
  @ApiConflictResponse({ description: 'One is running' })
  async startSamlehandling(
    @Body() { alle: all, ...asked }: StartSamlehandlingDto,
    @Req() request: FastifyRequest,
  ): Promise<SamlehandlingDto> {
    const { handling, kode: code, felt: field, begrunnelse: reason } = asked;
    const errors: FieldError[] = [];
    if (code === undefined && field === undefined && all !== true) {
      errors.push({ felt: 'alle', melding: 'must be true when neither kode nor felt is given' });
    }
    if ((handling === 'FORKAST') !== (reason !== undefined)) {
      errors.push({ felt: 'begrunnelse', melding: 'goes with FORKAST, and only with that' });
    }
    if (errors.length > 0)
      throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid', { feil: errors });
    return toBulkDto(await this.bulk.begin(asked, actorOf(tokenOf(request))));
  }

  @Get('samlet')
  @ApiOperation({ operationId: 'hentSamlehandling', summary: 'How far the last action on many has come' })
  @ApiOkResponse({ type: SisteSamlehandlingDto })
  async hentSamlehandling(): Promise<SisteSamlehandlingDto> {
    const last = await readLastBulk(this.pool);
    return last ? { siste: toBulkDto(last) } : {};
  }

  @Post('samlet/stopp')
  @HttpCode(204)
  @ApiOperation({ operationId: 'stoppSamlehandling', summary: 'Stops it; what was done by then stays done' })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'None is running' })
  async stoppSamlehandling(@Req() request: FastifyRequest): Promise<void> {
    await this.bulk.cancel(actorOf(tokenOf(request)));
  }

  @Get(':id')
  @ApiOperation({ operationId: 'hentParkert', summary: 'One parked message, with what is about persons hidden' })
  @ApiOkResponse({ type: ParkertMedInnholdDto })
  async hentParkert(@Param() { id }: IdDto, @Req() request: FastifyRequest): Promise<ParkertMedInnholdDto> {
    const row = await readParked(this.pool, id);
    if (!row) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no parked message with this id');
    await recordAction(this.pool, actorOf(tokenOf(request)), { handling: 'VIS_PARKERT', gjelder: id, antall: 1 });
    return { ...toDto(row), nokkel: maskKey(row.nokkel), melding: maskMessage(row.verdi) };
  }

  @Post(':id/spill-av')
  @HttpCode(200)
  @ApiOperation({ operationId: 'spillAv', summary: 'Tries the message again, at the place it has on the topic' })
  @ApiOkResponse({ type: AvspillingDto })
  @ApiConflictResponse({ description: 'It is not parked any more, or its bytes are gone' })
  async spillAv(@Param() { id }: IdDto, @Req() request: FastifyRequest): Promise<AvspillingDto> {
    return { utfall: await this.parked.replay(id, actorOf(tokenOf(request))) };
  }

  @Post('spill-av')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'spillAvFlere',
    summary: 'Tries many again: all, or those with a reason or field',
    description: 'Up to 1,000 in a call, oldest first; `neste` tells that there are more.',
  })
  @ApiOkResponse({ type: AvspillingerDto })
  spillAvFlere(
    @Body() { kode: code, felt: field, alle: all, neste: next }: SpillAvFlereDto,
    @Req() request: FastifyRequest,
  ): Promise<AvspillingerDto> {
    if (code === undefined && field === undefined && all !== true) {
      throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The request is not valid', {
        feil: [{ felt: 'alle', melding: 'must be true when neither kode nor felt is given' }],
      });
    }
    return this.parked.replayMany({ kode: code, felt: field }, next ?? '0', actorOf(tokenOf(request)));
  }

  @Post(':id/forkast')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'forkast',
    summary: 'Sets the message aside for good; its bytes go, and the row 90 days later',
  })
  @ApiNoContentResponse()
  @ApiConflictResponse({ description: 'It is not parked any more' })
  async forkast(
    @Param() { id }: IdDto,
    @Body() { begrunnelse }: ForkastDto,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.parked.discard(id, begrunnelse, actorOf(tokenOf(request)));
  }
}

function toBulkDto(row: BulkRow): SamlehandlingDto {
  const { id, handling, kode, felt, tilstand, antall, utfoert, fortsattParkert, aarsak } = row;
  const times = { startet: row.startet.toISOString(), avsluttet: row.avsluttet?.toISOString() ?? null };
  return {
    id,
    handling,
    kode,
    felt,
    tilstand,
    antall,
    utfoert,
    fortsattParkert,
    aarsak,
    startetAv: row.hvem,
    ...times,
  };
}

function toDto(row: ParkedRow): ParkertDto {
  const { id, topic, partisjon, kode, felt, aarsak, tilstand, forsok, behandletAv, begrunnelse } = row;
  const { innholdFjernet: removed, innholdFjernetAarsak: why } = row;
  return {
    id,
    topic,
    partisjon,
    offset: Number(row.offset),
    kode,
    felt,
    aarsak,
    tilstand,
    forsok,
    parkert: row.parkert.toISOString(),
    behandlet: row.behandlet?.toISOString() ?? null,
    behandletAv,
    begrunnelse,
    ...(removed && why && { innholdFjernet: removed.toISOString(), innholdFjernetAarsak: why }),
    ...(row.utelatt && !removed && { innholdUtelatt: true }),
  };
}
