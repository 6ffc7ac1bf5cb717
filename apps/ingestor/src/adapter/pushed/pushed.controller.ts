import { Body, Controller, Delete, HttpCode, Inject, Patch, Post, Req, type Type } from '@nestjs/common';
import { ApiBody, ApiConflictResponse, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Resource } from '@tiltak/resource';
import type { FastifyRequest } from 'fastify';
import { ForRole } from '../../access.guard.ts';
import type { PushDefinition } from '../../resources/resource.ts';
import { Adapter } from '../adapter.ts';
import { CONFLICT_DESCRIPTION, PAGE_DESCRIPTION } from '../sync.controller.ts';
import { SynkDto } from '../sync.dto.ts';
import { SyncRequests } from '../sync-requests.ts';
import { pagesOf } from './pushed.dto.ts';
import { pushedOf } from './resources.ts';

/** Pages of a resource, made of its definition: all that is not in the document is as of avtaler. */
export function pushController(resource: Resource, push: PushDefinition): Type {
  const { operations, words } = push;
  const { page, deletionPage } = pagesOf(resource, push);
  const pushed = pushedOf(resource.name);

  @ApiTags('Synk')
  @ForRole('adapter')
  @Controller(`adapter/v1/${resource.name}/synk`)
  class PushController {
    private readonly requests: SyncRequests;

    constructor(@Inject(Adapter) adapter: Adapter) {
      this.requests = new SyncRequests(adapter);
    }

    @Post()
    @ApiOperation({
      operationId: operations.full,
      summary: `A page of a full sync of ${words.several}`,
      description: `${PAGE_DESCRIPTION} When all pages are in, ${words.several} that were known before the sync began, and are in none of its pages, are deleted: ${words.full}. A newer full sync replaces an older one of ${words.several}, and none of avtaler.`,
    })
    @ApiBody({ type: page })
    @ApiCreatedResponse({ type: SynkDto })
    @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
    full(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
      return this.requests.receive(pushed, 'FULL', body, request);
    }

    @Patch()
    @HttpCode(201)
    @ApiOperation({
      operationId: operations.delta,
      summary: `A page of new and changed ${words.several}`,
      description: PAGE_DESCRIPTION,
    })
    @ApiBody({ type: page })
    @ApiCreatedResponse({ type: SynkDto })
    @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
    delta(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
      return this.requests.receive(pushed, 'DELTA', body, request);
    }

    @Delete()
    @HttpCode(201)
    @ApiOperation({
      operationId: operations.deletion,
      summary: `A page of ${words.deleted} to delete`,
      description: words.deletion === undefined ? PAGE_DESCRIPTION : `${PAGE_DESCRIPTION} ${words.deletion}`,
    })
    @ApiBody({ type: deletionPage })
    @ApiCreatedResponse({ type: SynkDto })
    @ApiConflictResponse({ description: CONFLICT_DESCRIPTION })
    deletion(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
      return this.requests.receive(pushed, 'SLETT', body, request);
    }
  }
  return PushController;
}
