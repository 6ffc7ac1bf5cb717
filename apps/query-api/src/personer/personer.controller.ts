import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { dagensDato } from '@tiltak/avtale';
import type { FastifyRequest } from 'fastify';
import { tilJson } from '../avtaler/felter.ts';
import { Lesing } from '../database/lesing.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { ErOperasjon, OPERASJONER } from '../tilgang/operasjoner.ts';
import { tilgangI } from '../tilgang/tilgang.ts';
import { TiltaksstatuserDto, TiltaksstatusSporringDto, type TiltakDto, type TiltaksstatusDto } from './personer.dto.ts';
import { hentTiltak, type Tiltaksrad } from './personer.queries.ts';

@ApiTags('Personer')
@Controller('api/v1/personer')
export class PersonerController {
  constructor(
    private readonly lesing: Lesing,
    private readonly oppslagslogg: Oppslagslogg,
  ) {}

  @Post('tiltaksstatus')
  @HttpCode(200)
  @ErOperasjon('hentTiltaksstatus')
  @ApiOperation({
    operationId: 'hentTiltaksstatus',
    summary: 'Is each of these persons on a measure, which, how many, for how long?',
    description: 'The least data that answers it. A person who is unknown here is answered as not on a measure.',
  })
  @ApiOkResponse({ type: TiltaksstatuserDto })
  async hentTiltaksstatus(
    @Body()
    {
      personidenter,
      gjeldendePer,
      dato = dagensDato(gjeldendePer === undefined ? new Date() : new Date(gjeldendePer)),
    }: TiltaksstatusSporringDto,
    @Req() request: FastifyRequest,
  ): Promise<TiltaksstatuserDto> {
    const rader = await hentTiltak(this.lesing, personidenter, { dato, gjeldendePer });
    const perPerson = Map.groupBy(rader, (rad) => rad.deltaker_fnr);
    await this.oppslagslogg.skriv(tilgangI(request), FELTER, personidenter, rader.length);
    return { dato, personer: personidenter.map((ident) => tiltaksstatus(ident, perPerson.get(ident) ?? [])) };
  }
}

const FELTER = OPERASJONER.hentTiltaksstatus;
const tilTiltak = tilJson<TiltakDto>(FELTER);

/** `rader` is ordered by start. */
function tiltaksstatus(personident: string, rader: Tiltaksrad[]): TiltaksstatusDto {
  const fra = rader[0]?.start_dato ?? null;
  const slutter = rader.map((rad) => rad.slutt_dato);
  const til = slutter.includes(null) ? null : (slutter.sort().at(-1) ?? null);
  return {
    personident,
    paaTiltak: rader.length > 0,
    antall: rader.length,
    fra,
    til,
    antallDager: fra === null ? 0 : til === null ? null : dager(fra, til),
    tiltak: rader.map(tilTiltak),
  };
}

/** Both ends included. All measures cover the date asked about, so there is no gap between them. */
function dager(fra: string, til: string): number {
  return (Date.parse(til) - Date.parse(fra)) / 86_400_000 + 1;
}
