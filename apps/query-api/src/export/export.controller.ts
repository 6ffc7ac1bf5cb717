import type { Readable } from 'node:stream';
import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import { acceptedEncoding, compressStream } from '@tiltak/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { grantOf, type Grant } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { Lookups } from '../lookups/lookups.ts';
import { fieldsOfMembers, SubscriptionStore } from '../subscriptions/subscriptions.store.ts';
import { EksporthodeDto, EksportSporringDto } from './export.dto.ts';
import { AvtaleDto, UtdragDto } from '../avtaler/avtaler.dto.ts';
import { wholeFields } from '../avtaler/avtaler.fields.ts';
import { Export, type ExportPart } from './export.ts';

export const NDJSON = 'application/x-ndjson';

/**
 * Bytes, by `format`: without it half of the generators make a client that reads it all as one JSON. What a line is stands
 * as `itemSchema` does in OpenAPI 3.2.
 */
const NDJSON_CONTENT = {
  schema: {
    type: 'string' as const,
    format: 'binary',
    description: 'An `Eksporthode`, then `antall` times an `Avtale`, or with `felter` an `Utdrag`, each on a line',
  },
  'x-itemSchema': { anyOf: [EksporthodeDto, AvtaleDto, UtdragDto].map((dto) => ({ $ref: getSchemaPath(dto) })) },
};

/** Everything at once, for those who begin to keep a copy. */
@ApiTags('Endringer')
@ApiExtraModels(EksporthodeDto)
@Controller('api/v1/eksport')
export class ExportController {
  constructor(
    private readonly lookups: Lookups,
    private readonly exports: Export,
    private readonly subscriptions: SubscriptionStore,
  ) {}

  @Get()
  @IsOperation('eksporterAvtaler', { mediaTypes: [NDJSON] })
  @ApiOperation({
    operationId: 'eksporterAvtaler',
    summary: 'What does every avtale say?',
    description:
      'One JSON object on each line: first an `Eksporthode`, then each avtale as an `Avtale`, in no order, all from one moment. Go on with hentEndringer from `posisjon`; what changed while the export was read may come there once more. With `felter`, only those of each, as an `Utdrag`. With `abonnement`, what that is of, and the position is of its feed. Compressed with br or gzip when that is accepted.',
  })
  @ApiOkResponse({
    description: 'The first line, and then one for each avtale',
    content: {
      [NDJSON]: NDJSON_CONTENT,
    },
  })
  async eksporterAvtaler(
    @Query() { abonnement, felter }: EksportSporringDto,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const grant = grantOf(request);
    const fields = felter ? GRANTABLE_FIELDS.filter((field) => felter.includes(field)) : wholeFields(grant);
    const content = { fields, withLinks: !felter };
    const lines = await this.lookups.answerSteps(
      grant,
      { fields, isNarrowed: true },
      async () => {
        const part = this.partOf(grant, abonnement);
        const { count, position, updatedToMs, lines } = await this.exports.start(grant.konsument, content, part);
        includeOrDestroy(grant, updatedToMs, lines);
        const subset = abonnement === undefined ? { alle: true } : { abonnement };
        const disclosure = { hits: count, subset: { ...subset, ...kindsOf(grant) }, position };
        return { found: lines, disclosure, discard: () => void lines.destroy() };
      },
      (found) => found,
    );
    await sendLines(request, reply, lines);
  }

  private partOf(grant: Grant, abonnement: string | undefined): ExportPart {
    const { konsument, behandlingsgrunnlag, kinds } = grant;
    if (abonnement === undefined) return { kinds };
    const onSubscription: ExportPart['onSubscription'] = ({ id, memberKinds }) => {
      this.lookups.require(grant, { fields: fieldsOfMembers(memberKinds) });
      this.subscriptions.used(id);
    };
    return { kinds, subscription: { name: { konsument, behandlingsgrunnlag, navn: abonnement } }, onSubscription };
  }
}

/** As they come, compressed when that is accepted. */
export async function sendLines(request: FastifyRequest, reply: FastifyReply, lines: Readable): Promise<void> {
  const encoding = acceptedEncoding(request);
  if (encoding !== undefined) reply.header('Content-Encoding', encoding);
  await reply
    .header('Vary', 'Accept-Encoding')
    .type(NDJSON)
    .send(encoding === undefined ? lines : compressStream(lines, encoding));
}

/** For the audit. */
function kindsOf({ kinds }: Grant): { tiltakstyper?: readonly string[] } {
  return kinds ? { tiltakstyper: kinds.published } : {};
}

/** @throws Problem 503 before the first load is done */
export function includeOrDestroy({ moment }: Grant, updatedToMs: number | null, lines: Readable, read = ''): void {
  try {
    moment.include(updatedToMs, read);
  } catch (error) {
    lines.destroy();
    throw error;
  }
}
