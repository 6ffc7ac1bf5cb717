import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { IsOperation } from '../access/operations.ts';
import { CoverageDto } from './coverage.dto.ts';
import { Coverage } from './coverage.ts';

@ApiTags('Data')
@Controller('api/v1/dekning')
export class CoverageController {
  constructor(private readonly coverage: Coverage) {}

  @Get()
  @IsOperation('hentDekning')
  @ApiOperation({
    operationId: 'hentDekning',
    summary: 'Which kinds of measure does this organisation know all of?',
    description: 'What it is worth that nobody is found: other measures, and older ones, live elsewhere.',
  })
  @ApiOkResponse({ type: CoverageDto })
  hentDekning(): CoverageDto {
    return { dekning: this.coverage.of() };
  }
}
