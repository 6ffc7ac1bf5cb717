import type { Readable } from 'node:stream';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { grantOf, type Grant } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { Lookups } from '../lookups/lookups.ts';
import { EksporthodeDto } from './export.dto.ts';
import { AvtaleDto } from '../avtaler/avtaler.dto.ts';
import { wholeFields } from '../avtaler/avtaler.fields.ts';
import { Export, gzip } from './export.ts';

const NDJSON = 'application/x-ndjson';

/**
 * Bytes, by `format`: without it half of the generators make a client that reads it all as one JSON. What a line is stands
 * as `itemSchema` does in OpenAPI 3.2.
 */
const NDJSON_CONTENT = {
  schema: {
    type: 'string' as const,
    format: 'binary',
    description: 'An `Eksporthode`, then `antall` times an `Avtale`, each on a line',
  },
  'x-itemSchema': { anyOf: [{ $ref: getSchemaPath(EksporthodeDto) }, { $ref: getSchemaPath(AvtaleDto) }] },
};

/** Everything at once, for those who begin to keep a copy. */
@ApiTags('Endringer')
@ApiExtraModels(EksporthodeDto)
@Controller('api/v1/eksport')
export class ExportController {
  constructor(
    private readonly lookups: Lookups,
    private readonly exports: Export,
  ) {}

  @Get()
  @IsOperation('eksporterAvtaler', { mediaTypes: [NDJSON] })
  @ApiOperation({
    operationId: 'eksporterAvtaler',
    summary: 'What does every avtale say?',
    description:
      'One JSON object on each line: first an `Eksporthode`, then each avtale as an `Avtale`, in no order, all from one moment. Go on with hentEndringer from `posisjon`; what changed while the export was read may come there once more. Gzipped when accepted.',
  })
  @ApiOkResponse({
    description: 'Lines',
    content: {
      [NDJSON]: NDJSON_CONTENT,
    },
  })
  async eksporterAvtaler(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const grant = grantOf(request);
    const fields = wholeFields(grant);
    const lines = await this.lookups.answerSteps(
      grant,
      { fields },
      async () => {
        const { count, position, updatedToMs, lines } = await this.exports.start(grant.konsument, fields);
        includeOrDestroy(grant, updatedToMs, lines);
        const disclosure = { hits: count, subset: { alle: true }, position };
        return { found: lines, disclosure, discard: () => void lines.destroy() };
      },
      (found) => found,
    );
    const packed = request.encoding(['gzip']) === 'gzip';
    if (packed) reply.header('Content-Encoding', 'gzip');
    await reply
      .header('Vary', 'Accept-Encoding')
      .type(NDJSON)
      .send(packed ? gzip(lines) : lines);
  }
}

/** @throws Problem 503 before the first load is done */
function includeOrDestroy({ moment }: Grant, updatedToMs: number | null, lines: Readable): void {
  try {
    moment.include(updatedToMs);
  } catch (error) {
    lines.destroy();
    throw error;
  }
}
