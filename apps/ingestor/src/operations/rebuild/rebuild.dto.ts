import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { UUID } from '@tiltak/avtale';
import { IntegerParam } from '@tiltak/platform';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { AVTALER, OTHERS, RESOURCE_NAME, RessursDto } from '../ressurs.dto.ts';

const KEY_KINDS = ['USETTE', 'RETTEDE'] as const;
const STATES = ['INGEN', 'KJORER', 'STOPPET', 'FERDIG'] as const;

@ApiSchema({ name: 'Gjenoppbygging' })
export class FramdriftDto {
  @ApiProperty({ example: 'avtaler', description: 'What is read again' })
  ressurs: string;

  @ApiProperty({ enum: STATES, description: 'INGEN: none was ever started' })
  tilstand: (typeof STATES)[number];

  @ApiProperty({ type: 'integer', description: 'Offsets that are read, of `antall`, over all partitions' })
  lest: number;

  @ApiProperty({ type: 'integer' })
  antall: number;

  @ApiProperty({ type: 'integer', description: 'Rows that were not what their message says, and are by now' })
  rettet: number;

  @ApiProperty({
    type: 'integer',
    description: 'Of which the change feed said otherwise than what is stored, and has been told since',
  })
  varslet: number;

  @ApiProperty({ type: 'integer', description: 'When all is read: those that the topic does not tell of any more' })
  usette: number;

  @ApiPropertyOptional({
    type: 'integer',
    description:
      'Of another resource than avtaler: those of `usette` that were removed. One that came back meanwhile stays',
  })
  fjernet?: number;

  @ApiPropertyOptional({
    description:
      'Of another resource than avtaler: all is read, and `usette` are so many that none is removed before `bekreftGjenoppbygging`',
  })
  venterPaaBekreftelse?: boolean;

  @ApiPropertyOptional({
    description: 'Of another resource than avtaler: nothing was changed, `rettet` and `usette` are what would be',
  })
  rapport?: boolean;

  @ApiPropertyOptional({
    type: 'string',
    format: 'date-time',
    description:
      'While it runs: about when all is read, should it go on as it has until now. It gives way to the stream',
  })
  ferdigOmtrent?: string;

  @ApiProperty({ type: [String], example: [AVTALER], description: 'What can be read again here, as `ressurs`' })
  ressurser: string[];

  @ApiProperty({ type: 'integer', description: 'Gaps of its topic that nothing has made up for yet' })
  aapneHull: number;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  startet: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  avsluttet: string | null;
}

export class StartGjenoppbyggingDto extends RessursDto {
  @ApiPropertyOptional({
    enum: ['true', 'false'],
    default: 'false',
    description:
      'Of another resource than avtaler: the source has published all of them again since gaps (`hull`) were found. ' +
      'When the rebuild is done, the gaps that were found before it are closed',
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  lukkHull?: 'true' | 'false';

  @ApiPropertyOptional({
    enum: ['true', 'false'],
    default: 'false',
    description:
      'Of another resource than avtaler: nothing is changed. `rettet` and `usette` tell what a rebuild would do, and `listGjenoppbygdeNoekler` of which',
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  rapport?: 'true' | 'false';
}

export class UsetteDto {
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

@ApiSchema({ name: 'UsettSide' })
export class UsettSideDto {
  @ApiProperty({ type: [String], description: 'avtaleId' })
  avtaleIder: string[];

  @ApiPropertyOptional({ format: 'uuid', description: 'The next page; absent on the last one' })
  neste?: string;
}

@ApiSchema({ name: 'ListGjenoppbygdeNoekler' })
export class ListNoeklerDto {
  @ApiProperty({ enum: OTHERS, description: 'Another resource than avtaler, whose topic the ingestor has' })
  @Matches(RESOURCE_NAME, { message: 'must be the name of a resource' })
  ressurs: string;

  @ApiPropertyOptional({
    enum: KEY_KINDS,
    default: 'USETTE',
    description:
      'USETTE: those that the topic does not tell of any more. RETTEDE: rows that were not what their messages say, the first ten thousand of them',
  })
  @IsOptional()
  @IsIn(KEY_KINDS)
  slag: (typeof KEY_KINDS)[number] = 'USETTE';

  @ApiPropertyOptional({ description: '`neste` of the page before', maxLength: 200 })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  neste?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1000, default: 100 })
  @IsInt()
  @Min(1)
  @Max(1_000)
  antall: number = 100;
}

@ApiSchema({ name: 'GjenoppbygdNoekkelside' })
export class NoekkelsideDto {
  @ApiProperty({ type: [String], description: 'In their order' })
  noekler: string[];

  @ApiPropertyOptional({ description: 'The next page; absent on the last one' })
  neste?: string;
}

@ApiSchema({ name: 'BekreftGjenoppbygging' })
export class BekreftGjenoppbyggingDto {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: 2_147_483_647,
    description: 'How many may go, as `usette` tells',
  })
  @IsInt()
  @Min(1)
  @Max(2_147_483_647)
  bekreft: number;
}
