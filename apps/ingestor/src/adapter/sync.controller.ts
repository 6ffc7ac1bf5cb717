import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Req } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ForRole } from '../access.guard.ts';
import { Adapter } from './adapter.ts';
import { PUSHED_AVTALER } from './pushed/avtaler.ts';
import { SideDto, SlettesideDto, SynkDto, SynkIdDto } from './sync.dto.ts';
import { SyncRequests } from './sync-requests.ts';
import type { SyncType } from './sync-page.ts';

export const PAGE_DESCRIPTION =
  'In any order and in parallel. A page that is sent again with the same content changes nothing; with other content it is 409. One bad entry: 400 that names each, and nothing of the page is published. In a full sync each id is in one page only: 409 names those that another page has too, and nothing of the page is published.';
export const CONFLICT_DESCRIPTION =
  'No contract, or one that does not name the resource; the sync is completed, replaced or expired; or the page has other content than before';

/** Pages of avtaler, and syncs of whatever they are of. */
@ApiTags('Synk')
@ForRole('adapter')
@Controller('adapter/v1')
export class SyncController {
  private readonly requests: SyncRequests;

  constructor(adapter: Adapter) {
    this.requests = new SyncRequests(adapter);
  }

  @Post('avtaler/synk')
  @ApiOperation({
    operationId: 'sendFullSynk',
    summary: 'A page of a full sync',
    description: `${PAGE_DESCRIPTION} When all pages are in, avtaler that were known before the sync began, and are in none of its pages, are deleted. A newer full sync replaces an older one.`,
  })
  @ApiBody({ type: SideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
  sendFullSynk(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.receive('FULL', body, request);
  }

  @Patch('avtaler/synk')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'sendDeltaSynk',
    summary: 'A page of new and changed avtaler',
    description: PAGE_DESCRIPTION,
  })
  @ApiBody({ type: SideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
  sendDeltaSynk(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.receive('DELTA', body, request);
  }

  @Delete('avtaler/synk')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'sendSletting',
    summary: 'A page of ids of avtaler to delete',
    description: PAGE_DESCRIPTION,
  })
  @ApiBody({ type: SlettesideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
  sendSletting(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.receive('SLETT', body, request);
  }

  @Get('synk/:synkId')
  @ApiOperation({ operationId: 'hentSynk', summary: 'How far a sync has come' })
  @ApiOkResponse({ type: SynkDto })
  @ApiConflictResponse({ description: 'There is no contract' })
  hentSynk(@Param() { synkId: syncId }: SynkIdDto, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.requests.get(syncId, request);
  }

  @Post('synk/:synkId/bekreft')
  @HttpCode(200)
  @ApiOperation({ operationId: 'bekreftSynk', summary: 'Lets a full sync delete as much as it would' })
  @ApiOkResponse({ type: SynkDto })
  @ApiConflictResponse({ description: 'It does not wait for this' })
  bekreftSynk(@Param() { synkId: syncId }: SynkIdDto, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.requests.confirm(syncId, request);
  }

  private receive(type: SyncType, body: object, request: FastifyRequest): Promise<SynkDto> {
    return this.requests.receive(PUSHED_AVTALER, type, body, request);
  }
}
