import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { UUID } from '@tiltak/avtale';
import { IntegerParam } from '@tiltak/platform';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

const STATES = ['INGEN', 'KJORER', 'STOPPET', 'FERDIG'] as const;

@ApiSchema({ name: 'Gjenoppbygging' })
export class FramdriftDto {
  @ApiProperty({ enum: STATES, description: 'INGEN: none was ever started' })
  tilstand: (typeof STATES)[number];

  @ApiProperty({ type: 'integer', description: 'Offsets that are read, of `antall`, over all partitions' })
  lest: number;

  @ApiProperty({ type: 'integer' })
  antall: number;

  @ApiProperty({ type: 'integer', description: 'Rows that were not what their message says, and are by now' })
  rettet: number;

  @ApiProperty({ type: 'integer', description: 'When finished: avtaler that the topic does not tell of any more' })
  usette: number;

  @ApiPropertyOptional({
    type: 'string',
    format: 'date-time',
    description:
      'While it runs: about when all is read, should it go on as it has until now. It gives way to the stream',
  })
  ferdigOmtrent?: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  startet: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true })
  avsluttet: string | null;
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
