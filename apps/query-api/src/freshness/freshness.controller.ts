import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags, ApiSchema } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { grantOf } from '../access/grant.ts';
import { IsOperation } from '../access/operations.ts';
import { oldest, Freshness, type PartitionFreshness } from './freshness.ts';

const AGE = {
  type: Number,
  nullable: true,
  minimum: 0,
  description: 'Age of that moment, in seconds',
  example: 0.4,
} as const;

@ApiSchema({ name: 'Partisjonsferskhet' })
export class PartisjonsferskhetDto {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Partition of the topic', example: 0 })
  partisjon: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Everything published to it up to this moment is included; null before the first load is done',
    example: '2026-11-23T10:15:00.123Z',
  })
  dataOppdatert: string | null;

  @ApiProperty(AGE)
  alderSekunder: number | null;

  @ApiProperty({
    required: false,
    description:
      'True when messages of it were lost before they were read: the moment stays at what was included before, until the source has been reconciled with. Absent when none are',
    example: true,
  })
  hull?: boolean;
}

@ApiSchema({ name: 'Ressursferskhet' })
export class RessursferskhetDto {
  @ApiProperty({
    description: 'The resource: virksomheter; a new one is added without a new version',
    example: 'virksomheter',
  })
  ressurs: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'The oldest of the partitions, as in the header Data-Oppdatert of answers about it; null before the first load is done: then they are 503',
    example: '2026-11-23T10:15:00.123Z',
  })
  dataOppdatert: string | null;

  @ApiProperty(AGE)
  alderSekunder: number | null;

  @ApiProperty({
    type: [PartisjonsferskhetDto],
    description: 'Each partition of its topic; empty when the service keeps none of the resource',
  })
  partisjoner: PartisjonsferskhetDto[];
}

@ApiSchema({ name: 'Ferskhet' })
export class FerskhetDto {
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Of avtaler: the oldest of the partitions, as in the header Data-Oppdatert',
    example: '2026-11-23T10:15:00.123Z',
  })
  dataOppdatert: string | null;

  @ApiProperty(AGE)
  alderSekunder: number | null;

  @ApiProperty({ type: [PartisjonsferskhetDto], description: 'Each partition of the topic of avtaler' })
  partisjoner: PartisjonsferskhetDto[];

  @ApiProperty({
    type: [RessursferskhetDto],
    required: false,
    description: 'The same of each other resource, by its name',
  })
  ressurser?: RessursferskhetDto[];
}

@ApiTags('Data')
@Controller('api/v1/ferskhet')
export class FreshnessController {
  constructor(private readonly freshness: Freshness) {}

  @Get()
  @IsOperation('hentFerskhet')
  @ApiOperation({ operationId: 'hentFerskhet', summary: 'How old is the data?' })
  @ApiOkResponse({ type: FerskhetDto, description: 'Up to when everything is included, of all and of each partition' })
  async hentFerskhet(@Req() request: FastifyRequest): Promise<FerskhetDto> {
    const { konsument, moment } = grantOf(request);
    const { avtaler, resources } = await this.freshness.read(konsument);
    const furthestBehind = oldest(avtaler);
    // The one question that can be answered before the first load is done.
    if (furthestBehind) moment.include(furthestBehind.updatedToMs);
    return {
      ...topic(avtaler),
      ressurser: Array.from(resources, ([name, partitions]) => ({ ressurs: name, ...topic(partitions) })),
    };
  }
}

function topic(
  partitions: readonly PartitionFreshness[],
): Pick<RessursferskhetDto, 'dataOppdatert' | 'alderSekunder' | 'partisjoner'> {
  return {
    ...age(oldest(partitions)),
    partisjoner: partitions.map((partition) => ({
      partisjon: partition.partition,
      ...age(partition),
      ...(partition.hasGap ? { hull: true } : {}),
    })),
  };
}

function age({ updatedToMs = null, ageSeconds = null }: Partial<PartitionFreshness> = {}): {
  dataOppdatert: string | null;
  alderSekunder: number | null;
} {
  return {
    dataOppdatert: updatedToMs === null ? null : new Date(updatedToMs).toISOString(),
    alderSekunder: ageSeconds,
  };
}
