import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiGoneResponse, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tilRfc3339 } from '../avtaler/felter.ts';
import { Lesing } from '../database/lesing.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { ErOperasjon } from '../tilgang/operasjoner.ts';
import { tilgangI } from '../tilgang/tilgang.ts';
import {
  EndringerDto,
  EndringssideDto,
  ENDRINGSTYPER,
  SLETTEAARSAKER,
  UtgaattProblemDto,
  type EndringDto,
  type NyStartDto,
} from './endringer.dto.ts';
import { hentEndringer, hentStrom, type Endringsrad, type Strom } from './endringer.queries.ts';
import { foer, lesPosisjon, skrivPosisjon, type Posisjon } from './posisjon.ts';
import { Stromvakt } from './stromvakt.ts';

/** The change feed: for those who keep a copy, or act on changes. */
@ApiTags('Endringer')
@ApiExtraModels(UtgaattProblemDto)
@Controller('api/v1/endringer')
export class EndringerController {
  constructor(
    private readonly lesing: Lesing,
    private readonly stromvakt: Stromvakt,
    private readonly oppslagslogg: Oppslagslogg,
  ) {}

  @Get()
  @ErOperasjon('hentEndringer')
  @ApiOperation({
    operationId: 'hentEndringer',
    summary: 'What has changed since this position?',
    description:
      'No change is skipped or given twice to a reader that goes on from `posisjon`. With `ventSekunder`, an answer at the end of the feed waits for something new. 410 when the position no longer can be used: `nyStart` tells where to start again.',
  })
  @ApiOkResponse({ type: EndringssideDto })
  @ApiGoneResponse({
    description: 'The position is from another epoch, or too old',
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(UtgaattProblemDto) } } },
  })
  async hentEndringer(
    @Query() { etter, antall, ventSekunder }: EndringerDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndringssideDto> {
    const strom = await hentStrom(this.lesing);
    const fra = finnStart(strom, etter);
    let rader = await hentEndringer(this.lesing, fra, antall);
    if (rader.length === 0 && ventSekunder > 0) {
      await this.stromvakt.vent(fra, ventSekunder, naarKlientenGaar(reply));
      rader = await hentEndringer(this.lesing, fra, antall);
    }
    await this.oppslagslogg.skriv(tilgangI(request), ['avtaleId'], [], rader.length);
    const siste = rader.at(-1);
    const til = siste ? { tx: BigInt(siste.tx), lopenr: BigInt(siste.lopenr) } : fra;
    return {
      endringer: rader.map(tilEndring),
      posisjon: skrivPosisjon(strom.epoke, til),
      flere: rader.length === antall,
    };
  }
}

/** @throws Problem 410 when what follows the position may be gone */
function finnStart({ epoke, beskaaretTil }: Strom, etter: string | undefined): Posisjon {
  const begynnelse = beskaaretTil > 0n ? foer(beskaaretTil) : { tx: 0n, lopenr: 0n };
  if (etter === undefined) return begynnelse;
  const posisjon = lesPosisjon(epoke, etter);
  const erForGammel =
    posisjon && (posisjon.tx < begynnelse.tx || (posisjon.tx === begynnelse.tx && posisjon.lopenr < begynnelse.lopenr));
  if (posisjon && !erForGammel) return posisjon;
  const nyStart: NyStartDto = { eksport: '/api/v1/eksport', endringer: '/api/v1/endringer' };
  throw new Problem(
    fellesFeil.UTGAATT,
    posisjon ? 'The position is too old' : 'The position is from another epoch of the feed',
    { felter: { nyStart } },
  );
}

/** A reader that hangs up while it waits has no need of an answer. */
function naarKlientenGaar({ raw }: FastifyReply): AbortSignal {
  const avbryt = new AbortController();
  raw.once('close', () => avbryt.abort());
  return avbryt.signal;
}

function tilEndring({ avtale_id: avtaleId, type, aarsak, tidspunkt }: Endringsrad): EndringDto {
  return {
    avtaleId,
    type: kjent(ENDRINGSTYPER, type),
    ...(aarsak === null ? {} : { aarsak: kjent(SLETTEAARSAKER, aarsak) }),
    tidspunkt: tilRfc3339(tidspunkt),
    _links: type === 'SLETTET' ? {} : { avtale: { href: `/api/v1/avtaler/${avtaleId}` } },
  };
}

function kjent<T extends string>(verdier: readonly T[], verdi: string): T | 'UKJENT' {
  return verdier.find((v) => v === verdi) ?? 'UKJENT';
}
