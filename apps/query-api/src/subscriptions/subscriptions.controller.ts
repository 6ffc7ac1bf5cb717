import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Req } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { grantOf, type Grant } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { toRfc3339 } from '../avtaler/avtaler.fields.ts';
import { Lookups } from '../lookups/lookups.ts';
import { EXAMPLE_IDENT, OTHER_IDENT } from '../personer/example-person.ts';
import type { SubscriptionName } from './subscription-feed.queries.ts';
import { NAME_WITH_EXAMPLE } from './subscription-name.ts';
import { noSuchSubscription } from './subscription-place.ts';
import { SubscriptionWatch } from './subscription-watch.ts';
import { MemberChangesDto, MembersDto, SubscriptionDto, SubscriptionNameDto } from './subscriptions.dto.ts';
import { fieldsOfMembers, kindsOf, SubscriptionStore, type Members } from './subscriptions.store.ts';

interface Change {
  add: Members;
  remove: Members;
  replaces: boolean;
}

/** The part of all avtaler that a consumer follows. */
@ApiTags('Endringer')
@Controller('api/v1/abonnementer')
export class SubscriptionsController {
  constructor(
    private readonly lookups: Lookups,
    private readonly store: SubscriptionStore,
    private readonly watch: SubscriptionWatch,
  ) {}

  @Put(':navn')
  @IsOperation('lagreAbonnement')
  @ApiOperation({
    operationId: 'lagreAbonnement',
    summary: 'Follow these',
    description:
      'Makes the abonnement, or makes it of these and no others: an avtale that is of any of them. Follow it with hentEndringer. It belongs to the consumer and the behandlingsgrunnlag, has at most 200,000 members (20,000 of a kind, 1,000 hovedenheter, and a body of 1 MiB, in one call), and is removed when it has not been used for 90 days. Of persons only opaque ids are kept.',
  })
  @ApiParam({ name: 'navn', schema: NAME_WITH_EXAMPLE })
  @ApiBody({
    type: MembersDto,
    examples: {
      employer: { summary: 'Those at an employer', value: { bedriftsnumre: ['910825518'] } },
      parent: {
        summary: 'Those at a parent company, and at all establishments below it',
        value: { hovedenheter: ['910712217'] },
      },
      persons: { summary: 'Some persons', value: { personidenter: [EXAMPLE_IDENT, OTHER_IDENT] } },
    },
  })
  @ApiOkResponse({ type: SubscriptionDto })
  @ApiConflictResponse({ description: 'It would have too many members, or the consumer too many of them' })
  lagreAbonnement(
    @Param() { navn }: SubscriptionNameDto,
    @Body() members: MembersDto,
    @Req() request: FastifyRequest,
  ): Promise<SubscriptionDto> {
    return this.change(grantOf(request), navn, { add: members, remove: {}, replaces: true });
  }

  @Post(':navn/medlemmer')
  @HttpCode(200)
  @IsOperation('endreMedlemmer')
  @ApiOperation({
    operationId: 'endreMedlemmer',
    summary: 'Follow these too, and those no longer',
    description:
      'What is in both is a member after it. What a new member brings comes first in the feed of the abonnement; what goes with one that is taken out is UTENFOR there.',
  })
  @ApiParam({ name: 'navn', schema: NAME_WITH_EXAMPLE })
  @ApiBody({
    type: MemberChangesDto,
    examples: {
      more: { summary: 'One person more', value: { leggTil: { personidenter: [EXAMPLE_IDENT] } } },
      other: {
        summary: 'Another person',
        value: { leggTil: { personidenter: [EXAMPLE_IDENT] }, fjern: { personidenter: [OTHER_IDENT] } },
      },
    },
  })
  @ApiOkResponse({ type: SubscriptionDto })
  @ApiNotFoundResponse({ description: 'There is no such abonnement' })
  @ApiConflictResponse({ description: 'It would have too many members' })
  endreMedlemmer(
    @Param() { navn }: SubscriptionNameDto,
    @Body() { leggTil: add = {}, fjern: remove = {} }: MemberChangesDto,
    @Req() request: FastifyRequest,
  ): Promise<SubscriptionDto> {
    return this.change(grantOf(request), navn, { add, remove, replaces: false });
  }

  @Get(':navn')
  @IsOperation('hentAbonnement')
  @ApiOperation({
    operationId: 'hentAbonnement',
    summary: 'What is this abonnement?',
    description: 'How many members it has, and not which: of persons, not even we can tell.',
  })
  @ApiParam({ name: 'navn', schema: NAME_WITH_EXAMPLE })
  @ApiOkResponse({ type: SubscriptionDto })
  @ApiNotFoundResponse({ description: 'There is no such abonnement' })
  hentAbonnement(@Param() { navn }: SubscriptionNameDto, @Req() request: FastifyRequest): Promise<SubscriptionDto> {
    const grant = grantOf(request);
    return this.lookups.answerSteps(
      grant,
      { fields: [], isNarrowed: true },
      () => Promise.resolve({ found: undefined, disclosure: { hits: 0, subset: { abonnement: navn } } }),
      () => this.read(nameIn(grant, navn)),
    );
  }

  @Delete(':navn')
  @HttpCode(204)
  @IsOperation('slettAbonnement')
  @ApiOperation({
    operationId: 'slettAbonnement',
    summary: 'Follow none of these any more',
    description: 'All that is kept of it is removed. That there is none is no error.',
  })
  @ApiParam({ name: 'navn', schema: NAME_WITH_EXAMPLE })
  @ApiNoContentResponse({ description: 'It is gone' })
  slettAbonnement(@Param() { navn }: SubscriptionNameDto, @Req() request: FastifyRequest): Promise<void> {
    const grant = grantOf(request);
    return this.lookups.answerSteps(
      grant,
      { fields: [], isNarrowed: true },
      () => Promise.resolve({ found: undefined, disclosure: { hits: 0, subset: { abonnement: navn } } }),
      async () => void (await this.store.remove(nameIn(grant, navn))),
    );
  }

  /** Who registers whom is in the audit before it is so. */
  private change(grant: Grant, ownName: string, { add, remove, replaces }: Change): Promise<SubscriptionDto> {
    const persons = [...(add.personidenter ?? []), ...(remove.personidenter ?? [])];
    const fields = fieldsOfMembers([add, remove].flatMap(kindsOf));
    return this.lookups.answerSteps(
      grant,
      { fields: [...new Set(fields)], persons, isNarrowed: true },
      () => {
        const subset = {
          abonnement: ownName,
          [replaces ? 'medlemmer' : 'leggTil']: sizesOf(add),
          fjern: sizesOf(remove),
        };
        return Promise.resolve({ found: undefined, disclosure: { hits: 0, persons, subset } });
      },
      async () => {
        const name = nameIn(grant, ownName);
        const written = await this.store.write(name, { add, remove, replaces });
        if (!written) throw noSuchSubscription();
        this.watch.wake(written.id);
        return this.read(name);
      },
    );
  }

  private async read(name: SubscriptionName): Promise<SubscriptionDto> {
    const stored = await this.store.read(name);
    if (!stored) throw noSuchSubscription();
    const { counts, created, changed, used } = stored;
    return {
      navn: name.navn,
      antallPersonidenter: counts.P ?? 0,
      antallAvtaler: counts.A ?? 0,
      antallBedrifter: counts.B ?? 0,
      antallTiltakstyper: counts.T ?? 0,
      antallHovedenheter: counts.H ?? 0,
      opprettet: toRfc3339(created),
      endret: toRfc3339(changed),
      sistBrukt: toRfc3339(used),
    };
  }
}

function nameIn({ konsument, behandlingsgrunnlag }: Grant, ownName: string): SubscriptionName {
  return { konsument, behandlingsgrunnlag, navn: ownName };
}

/** For the audit, which has persons elsewhere. */
function sizesOf(members: Members): Record<string, number> {
  return Object.fromEntries(Object.entries(members).map(([kind, list]) => [kind, list?.length ?? 0]));
}
