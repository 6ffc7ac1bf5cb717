import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ForRole } from '../../access.guard.ts';
import { SERVED, type Served } from '../served.ts';
import { OrganisasjonerDto } from './organisasjoner.dto.ts';
import { readOrganisasjoner } from './organisasjoner.ts';

@ApiTags('Drift')
@ForRole('drift')
@Controller('drift/v1/organisasjoner')
export class OrganisasjonerController {
  constructor(@Inject(SERVED) private readonly served: Served) {}

  @Get()
  @ApiOperation({
    operationId: 'listOrganisasjoner',
    summary: 'How it goes with each organisation that is listed',
    description: 'What each ingestor tells openly within the cluster. No token is passed on.',
  })
  @ApiOkResponse({ type: OrganisasjonerDto })
  async listOrganisasjoner(): Promise<OrganisasjonerDto> {
    const read = await readOrganisasjoner(this.served.organisasjoner);
    return { organisasjoner: read.map(({ tilstand, ...rest }) => ({ ...rest, ...(tilstand && { tilstand }) })) };
  }
}
