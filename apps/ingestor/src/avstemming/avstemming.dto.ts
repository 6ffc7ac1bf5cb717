import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { UUID } from '@tiltak/avtale';
import { IntegerParam } from '@tiltak/platform';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { SOURCE_TYPES, DIFFERENCE_TYPES, type DifferenceType, type SourceType } from './avstemming.queries.ts';
import { REPAIRABLE, type Repairable } from './repair.ts';

export class AvstemDto {
  @ApiPropertyOptional({
    enum: SOURCE_TYPES,
    default: 'LISTE',
    description: "The source's own list, or all of the topic",
  })
  @IsOptional()
  @IsIn(SOURCE_TYPES)
  kilde: SourceType = 'LISTE';

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'When the source made its list; now when absent. What changed since is too fresh to count',
    example: '2026-01-31T12:00:00Z',
  })
  @IsOptional()
  @IsString()
  per?: string;
}

export class DifferanserDto {
  @ApiProperty({ enum: DIFFERENCE_TYPES })
  @IsIn(DIFFERENCE_TYPES)
  type: DifferenceType;

  @ApiPropertyOptional({
    enum: ['true', 'false'],
    default: 'false',
    description: 'Those too fresh to count, instead of those that count',
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  ferske?: 'true' | 'false';

  @ApiPropertyOptional({ format: 'uuid', description: '`neste` of the page before' })
  @IsOptional()
  @Matches(UUID, { message: 'must be the neste of a page' })
  neste?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1000, default: 1000 })
  @IntegerParam()
  @IsInt()
  @Min(1)
  @Max(1_000)
  antall: number = 1_000;
}

@ApiSchema({ name: 'RettAvstemming' })
export class RettDto {
  @ApiProperty({ enum: REPAIRABLE, example: 'MANGLER' })
  @IsIn(REPAIRABLE)
  type: Repairable;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 2_147_483_647,
    description: 'With FREMMED: how many are to be deleted, as the report tells (`antall` less `rettet`)',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  bekreft?: number;
}

@ApiSchema({ name: 'RettetAvstemming' })
export class RettetDto {
  @ApiProperty({ type: 'integer', description: 'Healed by this call' })
  rettet: number;

  @ApiProperty({
    type: 'integer',
    description: 'What remains: for the source to send again, or, of FREMMED, changed since the report and kept',
  })
  igjen: number;
}

@ApiSchema({ name: 'Differansetall' })
export class TypetallDto {
  @ApiProperty({
    enum: DIFFERENCE_TYPES,
    description:
      'MANGLER: the source has it, we do not. UTDATERT: ours is older. FREMMED: we have it, the source does not. NYERE: ours is newer',
  })
  type: DifferenceType;

  @ApiProperty({ type: 'integer', description: 'Those that count' })
  antall: number;

  @ApiProperty({ type: 'integer', description: 'Of these, those that are healed since' })
  rettet: number;

  @ApiProperty({
    type: 'integer',
    description: 'Beside these: so lately changed that the two sides need not agree yet',
  })
  ferske: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How long the oldest of those that count has differed, seconds at `per`; null when there is none',
  })
  eldsteAlderSekunder: number | null;
}

@ApiSchema({ name: 'Avstemming' })
export class RapportDto {
  @ApiProperty({ example: '17' })
  id: string;

  @ApiProperty({ enum: SOURCE_TYPES, description: 'What was compared with' })
  kilde: SourceType;

  @ApiProperty({ type: 'string', format: 'date-time', description: 'The moment that the source is compared as of' })
  per: string;

  @ApiProperty({ type: 'string', format: 'date-time' })
  avsluttet: string;

  @ApiProperty({ description: 'Nav ident of who asked for it' })
  startetAv: string;

  @ApiProperty({ type: 'integer', description: 'Avtaler that the source has' })
  antallHosKilden: number;

  @ApiProperty({ type: [TypetallDto], description: 'Each type, also those that there are none of' })
  differanser: TypetallDto[];
}

@ApiSchema({ name: 'AvstemmingSide' })
export class RapportSideDto {
  @ApiProperty({ type: [RapportDto] })
  avstemminger: RapportDto[];

  @ApiPropertyOptional({ description: 'The next page; absent on the last one' })
  neste?: string;
}

@ApiSchema({ name: 'Differanse' })
export class DifferanseDto {
  @ApiProperty({ format: 'uuid' })
  avtaleId: string;

  @ApiProperty({ enum: DIFFERENCE_TYPES })
  type: DifferenceType;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  sistEndretHosKilden: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  sistEndretHer: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'How long they have differed, seconds at `per`' })
  alderSekunder: number | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, description: 'When it was healed' })
  rettet: string | null;
}

@ApiSchema({ name: 'DifferanseSide' })
export class DifferanseSideDto {
  @ApiProperty({ type: [DifferanseDto] })
  differanser: DifferanseDto[];

  @ApiPropertyOptional({ format: 'uuid', description: 'The next page; absent on the last one' })
  neste?: string;
}
