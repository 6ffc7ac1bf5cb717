import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Req } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { ForRole, tokenOf } from '../access.guard.ts';
import { Adapter } from './adapter.ts';
import { requireContract } from './contract.ts';
import { SideDto, SlettesideDto, SynkDto, SynkIdDto, toSynkDto } from './sync.dto.ts';
import { pageOf, parsePage, type SyncType } from './sync-page.ts';
import { readMissingPages, saveFailure, type SyncRow } from './sync.queries.ts';

const MISSING_PAGES_SHOWN = 1_000;
/** Of one refusal. */
const FAULTS_KEPT = 10;
const PAGE_DESCRIPTION =
  'In any order and in parallel. A page that is sent again with the same content changes nothing; with other content it is 409. One bad entry: 400 that names each, and nothing of the page is published.';
const CONFLICT_DESCRIPTION =
  'No contract; the sync is completed, replaced or expired; or the page has other content than before';

/** Pages of avtaler. */
@ApiTags('Synk')
@ForRole('adapter')
@Controller('adapter/v1')
export class SyncController {
  constructor(private readonly adapter: Adapter) {}

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
  async hentSynk(@Param() { synkId: syncId }: SynkIdDto, @Req() request: FastifyRequest): Promise<SynkDto> {
    await requireContract(this.adapter.pool, tokenOf(request));
    return this.progress(await this.adapter.syncs.get(syncId));
  }

  @Post('synk/:synkId/bekreft')
  @HttpCode(200)
  @ApiOperation({ operationId: 'bekreftSynk', summary: 'Lets a full sync delete as much as it would' })
  @ApiOkResponse({ type: SynkDto })
  @ApiConflictResponse({ description: 'It does not wait for this' })
  async bekreftSynk(@Param() { synkId: syncId }: SynkIdDto, @Req() request: FastifyRequest): Promise<SynkDto> {
    const { klient: client } = await requireContract(this.adapter.pool, tokenOf(request));
    return this.rememberRefusal({ synkId: syncId, side: null }, async () =>
      this.progress(await this.adapter.syncs.confirm(syncId, client)),
    );
  }

  private async receive(type: SyncType, body: object, request: FastifyRequest): Promise<SynkDto> {
    const { ukjenteFelter } = await requireContract(this.adapter.pool, tokenOf(request));
    return this.rememberRefusal(pageOf(body), async () =>
      this.progress(await this.adapter.syncs.receive(await parsePage(type, body, ukjenteFelter))),
    );
  }

  /** So that what was last refused is seen afterwards too, by people who were not there. */
  private async rememberRefusal<T>(
    page: { synkId: string | null; side: number | null },
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Problem) {
        const { problemType, detail, extras } = error;
        const faults = (extras.feil ?? []).slice(0, FAULTS_KEPT);
        await saveFailure(this.adapter.pool, { ...page, status: problemType.status, detail, feil: faults }).catch(
          () => undefined,
        );
      }
      throw error;
    }
  }

  private async progress(sync: SyncRow): Promise<SynkDto> {
    if (sync.mottatteSider === sync.antallSider) return toSynkDto(sync, []);
    return toSynkDto(sync, await readMissingPages(this.adapter.pool, sync.synkId, MISSING_PAGES_SHOWN));
  }
}
