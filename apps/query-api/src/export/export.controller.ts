import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { GRANTABLE_FIELDS } from '../avtaler/avtaler.fields.ts';
import { AuditLog } from '../lookups/audit-log.ts';
import { IsOperation } from '../access/operations.ts';
import { grantOf } from '../access/access.guard.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EksporthodeDto } from './export.dto.ts';
import { Export, gzip } from './export.ts';

const NDJSON = 'application/x-ndjson';

/** Everything at once, for those who begin to keep a copy. */
@ApiTags('Endringer')
@ApiExtraModels(EksporthodeDto)
@Controller('api/v1/eksport')
export class ExportController {
  constructor(
    private readonly exported: Export,
    private readonly auditLog: AuditLog,
  ) {}

  @Get()
  @RouteConfig({ mediaTypes: [NDJSON] })
  @IsOperation('eksporterAvtaler')
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
    const { count, lines } = await this.exported.start();
    try {
      await this.auditLog.record(grantOf(request), GRANTABLE_FIELDS, [], count);
    } catch (error) {
      lines.destroy();
      throw error;
    }
    const packed = request.encoding(['gzip']) === 'gzip';
    if (packed) reply.header('Content-Encoding', 'gzip');
    await reply
      .header('Vary', 'Accept-Encoding')
      .type(NDJSON)
      .send(packed ? gzip(lines) : lines);
  }
}
