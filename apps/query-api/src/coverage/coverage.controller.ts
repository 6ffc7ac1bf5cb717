import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { Freshness } from '../freshness/freshness.ts';
import { CoverageDto } from './coverage.dto.ts';
import { Coverage } from './coverage.ts';

@ApiTags('Data')
@Controller('api/v1/dekning')
export class CoverageController {
  constructor(
    private readonly coverage: Coverage,
    private readonly freshness: Freshness,
  ) {}

  @Get()
  @IsOperation('hentDekning')
  @ApiOperation({
    operationId: 'hentDekning',
    summary: 'Which kinds of measure does this organisation know all of?',
    description: 'What it is worth that nobody is found: other measures, and older ones, live elsewhere.',
  })
  @ApiOkResponse({ type: CoverageDto, description: 'Each kind of measure that something is known of' })
  hentDekning(@Req() request: FastifyRequest): CoverageDto {
    // It tells nothing of the data, and needs no database.
    const { known } = this.freshness;
    if (known) grantOf(request).moment.include(known.updatedToMs);
    return { dekning: this.coverage.of() };
  }
}
