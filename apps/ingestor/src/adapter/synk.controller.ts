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
import { ForRolle, tokenI } from '../tilgang/tilgang.ts';
import { Adapterpool } from './adapterpool.ts';
import { krevKontrakt } from './kontrakt.ts';
import { SideDto, SlettesideDto, SynkDto, SynkIdDto, tilSynkDto } from './synk.dto.ts';
import { lesManglendeSider, type Synkrad, type Synktype } from './synk.queries.ts';
import { lesSide } from './synk.side.ts';
import { Synker } from './synk.ts';

const MANGLENDE_VIST = 1_000;
const SIDE =
  'In any order and in parallel. A page that is sent again with the same content changes nothing; with other content it is 409. One bad entry: 400 that names each, and nothing of the page is published.';
const OPPTATT = 'No contract; the sync is completed, replaced or expired; or the page has other content than before';

/** Pages of avtaler. */
@ApiTags('Synk')
@ForRolle('adapter')
@Controller('adapter/v1')
export class SynkController {
  constructor(
    private readonly db: Adapterpool,
    private readonly synker: Synker,
  ) {}

  @Post('avtaler/synk')
  @ApiOperation({
    operationId: 'sendFullSynk',
    summary: 'A page of a full sync',
    description: `${SIDE} When all pages are in, avtaler that were known before the sync began, and are in none of its pages, are deleted. A newer full sync replaces an older one.`,
  })
  @ApiBody({ type: SideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: OPPTATT })
  sendFullSynk(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.motta('FULL', body, request);
  }

  @Patch('avtaler/synk')
  @HttpCode(201)
  @ApiOperation({ operationId: 'sendDeltaSynk', summary: 'A page of new and changed avtaler', description: SIDE })
  @ApiBody({ type: SideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: OPPTATT })
  sendDeltaSynk(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.motta('DELTA', body, request);
  }

  @Delete('avtaler/synk')
  @HttpCode(201)
  @ApiOperation({ operationId: 'sendSletting', summary: 'A page of ids of avtaler to delete', description: SIDE })
  @ApiBody({ type: SlettesideDto })
  @ApiCreatedResponse({ type: SynkDto })
  @ApiConflictResponse({ description: OPPTATT })
  sendSletting(@Body() body: object, @Req() request: FastifyRequest): Promise<SynkDto> {
    return this.motta('SLETT', body, request);
  }

  @Get('synk/:synkId')
  @ApiOperation({ operationId: 'hentSynk', summary: 'How far a sync has come' })
  @ApiOkResponse({ type: SynkDto })
  @ApiConflictResponse({ description: 'There is no contract' })
  async hentSynk(@Param() { synkId }: SynkIdDto, @Req() request: FastifyRequest): Promise<SynkDto> {
    await krevKontrakt(this.db.pool, tokenI(request));
    return this.framdrift(await this.synker.hent(synkId));
  }

  @Post('synk/:synkId/bekreft')
  @HttpCode(200)
  @ApiOperation({ operationId: 'bekreftSynk', summary: 'Lets a full sync delete as much as it would' })
  @ApiOkResponse({ type: SynkDto })
  @ApiConflictResponse({ description: 'It does not wait for this' })
  async bekreftSynk(@Param() { synkId }: SynkIdDto, @Req() request: FastifyRequest): Promise<SynkDto> {
    const { klient } = await krevKontrakt(this.db.pool, tokenI(request));
    return this.framdrift(await this.synker.bekreft(synkId, klient));
  }

  private async motta(type: Synktype, body: object, request: FastifyRequest): Promise<SynkDto> {
    await krevKontrakt(this.db.pool, tokenI(request));
    return this.framdrift(await this.synker.motta(lesSide(type, body)));
  }

  private async framdrift(synk: Synkrad): Promise<SynkDto> {
    if (synk.mottatteSider === synk.antallSider) return tilSynkDto(synk, []);
    return tilSynkDto(synk, await lesManglendeSider(this.db.pool, synk.synkId, MANGLENDE_VIST));
  }
}
