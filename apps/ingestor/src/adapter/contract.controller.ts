import { Body, Controller, Get, HttpCode, Post, Put, Req } from '@nestjs/common';
import { ApiConflictResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { clientOf } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { ForRole, tokenOf } from '../access.guard.ts';
import { readAdapterStatus } from './adapter-status.ts';
import { Adapter } from './adapter.ts';
import { AdapterstatusDto, HjerteslagDto, KontraktDto } from './contract.dto.ts';
import { saveContract, setHeartbeat } from './contract.queries.ts';
import { foreignContract, requireContract, assessHeartbeat } from './contract.ts';

/** What the adapter has promised, and whether it keeps it. */
@ApiTags('Kontrakt')
@ForRole('adapter')
@Controller('adapter/v1')
export class ContractController {
  constructor(private readonly adapter: Adapter) {}

  @Put('kontrakt')
  @ApiOperation({ operationId: 'settKontrakt', summary: "The adapter's contract; the first client to set it owns it" })
  @ApiOkResponse({ type: KontraktDto })
  async settKontrakt(@Body() contract: KontraktDto, @Req() request: FastifyRequest): Promise<KontraktDto> {
    const client = clientOf(tokenOf(request));
    if (!(await saveContract(this.adapter.pool, client, contract))) throw foreignContract();
    return { ...contract, ukjenteFelter: contract.ukjenteFelter ?? 'MELD' };
  }

  @Post('hjerteslag')
  @HttpCode(200)
  @ApiOperation({ operationId: 'sendHjerteslag', summary: 'The adapter is alive' })
  @ApiOkResponse({ type: HjerteslagDto })
  @ApiConflictResponse({ description: 'There is no contract' })
  async sendHjerteslag(@Req() request: FastifyRequest): Promise<HjerteslagDto> {
    const { klient: client } = await requireContract(this.adapter.pool, tokenOf(request));
    await setHeartbeat(this.adapter.pool, client);
    return assessHeartbeat(await requireContract(this.adapter.pool, tokenOf(request)));
  }

  @Get('status')
  @ApiOperation({ operationId: 'hentAdapterstatus', summary: 'Contract, heartbeat and the last syncs' })
  @ApiOkResponse({ type: AdapterstatusDto })
  @ApiConflictResponse({ description: 'There is no contract' })
  async hentStatus(@Req() request: FastifyRequest): Promise<AdapterstatusDto> {
    const contract = await requireContract(this.adapter.pool, tokenOf(request));
    return readAdapterStatus(this.adapter.pool, this.adapter.syncs.deadlines, contract);
  }
}
