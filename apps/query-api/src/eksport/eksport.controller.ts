import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { FELTER } from '../avtaler/felter.ts';
import { Oppslagslogg } from '../oppslag/oppslagslogg.ts';
import { ErOperasjon } from '../tilgang/operasjoner.ts';
import { tilgangI } from '../tilgang/tilgang.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EksporthodeDto } from './eksport.dto.ts';
import { Eksport, pakk } from './eksport.ts';

const NDJSON = 'application/x-ndjson';

/** Everything at once, for those who begin to keep a copy. */
@ApiTags('Endringer')
@ApiExtraModels(EksporthodeDto)
@Controller('api/v1/eksport')
export class EksportController {
  constructor(
    private readonly eksport: Eksport,
    private readonly oppslagslogg: Oppslagslogg,
  ) {}

  @Get()
  @RouteConfig({ medietyper: [NDJSON] })
  @ErOperasjon('eksporterAvtaler')
  @ApiOperation({
    operationId: 'eksporterAvtaler',
    summary: 'What does every avtale say?',
    description:
      'One JSON object on each line: first an `Eksporthode`, then each avtale as an `Avtale`, in no order, all from one moment. Go on with hentEndringer from `posisjon`; what changed while the export was read may come there once more. Gzipped when accepted.',
  })
  @ApiOkResponse({
    description: 'Lines',
    content: {
      [NDJSON]: {
        schema: { type: 'string', description: 'An `Eksporthode`, then `antall` times an `Avtale`, each on a line' },
      },
    },
  })
  async eksporterAvtaler(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { antall, linjer } = await this.eksport.start();
    try {
      await this.oppslagslogg.skriv(tilgangI(request), FELTER, [], antall);
    } catch (feil) {
      linjer.destroy();
      throw feil;
    }
    const pakkes = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(String(request.headers['accept-encoding'] ?? ''));
    if (pakkes) reply.header('Content-Encoding', 'gzip');
    await reply
      .header('Vary', 'Accept-Encoding')
      .type(NDJSON)
      .send(pakkes ? pakk(linjer) : linjer);
  }
}
