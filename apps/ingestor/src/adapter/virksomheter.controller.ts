import { Body, Controller, Delete, HttpCode, Patch, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConflictResponse, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ForRole } from '../access.guard.ts';
import { Adapter } from './adapter.ts';
import { PUSHED_VIRKSOMHETER } from './pushed/resources.ts';
import { CONFLICT_DESCRIPTION, PAGE_DESCRIPTION } from './sync.controller.ts';
import { SynkDto } from './sync.dto.ts';
import { SyncRequests } from './sync-requests.ts';
import { VirksomhetssideDto, VirksomhetsslettesideDto } from './virksomheter.dto.ts';

/** Pages of virksomheter: all that is not in the document is as of avtaler. */
@ApiTags('Synk')
@ForRole('adapter')
@Controller('adapter/v1/virksomheter/synk')
export class VirksomheterSyncController {
  private readonly requests: SyncRequests;

  constructor(adapter: Adapter) {
    this.requests = new SyncRequests(adapter);
  }

  @Post()
  @ApiOperation({
    operationId: 'sendFullSynkVirksomheter',
    summary: 'A page of a full sync of virksomheter',
    description: `${PAGE_DESCRIPTION} When all pages are in, virksomheter that were known before the sync began, and are in none of its pages, are deleted: so it also holds those that are struck off. A newer full sync replaces an older one of virksomheter, and none of avtaler.`,
  })
  @ApiBody({ type: VirksomhetssideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
  sendFullSynkVirksomheter(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.requests.receive(PUSHED_VIRKSOMHETER, 'FULL', body, request);
  }

  @Patch()
  @HttpCode(201)
  @ApiOperation({
    operationId: 'sendDeltaSynkVirksomheter',
    summary: 'A page of new and changed virksomheter',
    description: PAGE_DESCRIPTION,
  })
  @ApiBody({ type: VirksomhetssideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
  sendDeltaSynkVirksomheter(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.requests.receive(PUSHED_VIRKSOMHETER, 'DELTA', body, request);
  }

  @Delete()
  @HttpCode(201)
  @ApiOperation({
    operationId: 'sendSlettingVirksomheter',
    summary: 'A page of numbers of virksomheter to delete',
    description: `${PAGE_DESCRIPTION} Not of those that are struck off, which are sent with slettetDato: of those that the register tells nothing of any more.`,
  })
  @ApiBody({ type: VirksomhetsslettesideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
  sendSlettingVirksomheter(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.requests.receive(PUSHED_VIRKSOMHETER, 'SLETT', body, request);
  }
}
