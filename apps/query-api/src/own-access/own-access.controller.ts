import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { Freshness } from '../freshness/freshness.ts';
import { OwnAccessDto } from './own-access.dto.ts';
import { OwnAccess } from './own-access.ts';

@ApiTags('Tilgang')
@Controller('api/v1/tilgang')
export class OwnAccessController {
  constructor(
    private readonly ownAccess: OwnAccess,
    private readonly freshness: Freshness,
  ) {}

  @Get()
  @IsOperation('hentTilgang')
  @ApiOperation({
    operationId: 'hentTilgang',
    summary: 'What may I ask here, and what of it do I use?',
    description:
      'For every registered consumer, also one that has not accepted the terms of use: it needs no grant, and no purpose. It counts in the quota, and is not audited, since it tells of no avtale.',
  })
  @ApiOkResponse({ type: OwnAccessDto })
  async hentTilgang(@Req() request: FastifyRequest): Promise<OwnAccessDto> {
    const { known } = this.freshness;
    if (known) grantOf(request).moment.include(known.updatedToMs);
    if (!request.konsument) throw new Error('The request has passed no access check');
    return this.ownAccess.of(request.konsument);
  }
}
