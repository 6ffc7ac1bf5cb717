import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IntegerParam } from '@tiltak/platform';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { RessursDto } from '../ressurs.dto.ts';

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

export class UsetteDto extends RessursDto {
  @ApiPropertyOptional({ description: '`neste` of the page before', maxLength: 200 })
  @IsOptional()
  @IsString()
  @MaxLength(200)
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
  @ApiProperty({ type: [String], description: 'avtaleId; none of another resource' })
  avtaleIder: string[];

  @ApiPropertyOptional({ type: [String], description: 'Of another resource than avtaler: their keys' })
  noekler?: string[];

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
