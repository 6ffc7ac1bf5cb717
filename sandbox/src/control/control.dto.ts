import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IntegerParam } from '@tiltak/platform';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { FAULT_STATUSES } from '../front/problem.ts';

const MAX_DAYS = 36_500;
const MAX_AGE_SECONDS = 366 * 24 * 3_600;

@ApiSchema({ name: 'KlokkeValg', description: 'One of the two' })
export class KlokkevalgDto {
  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'The moment that it is now; the clock goes on from there',
    example: '2026-12-24T12:00:00Z',
  })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'must be a moment with offset, for instance 2026-12-24T12:00:00Z' })
  tidspunkt?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'Days forwards, or backwards when negative', example: 30 })
  @IsOptional()
  @IsInt()
  @Min(-MAX_DAYS)
  @Max(MAX_DAYS)
  flyttDager?: number;
}

@ApiSchema({ name: 'Klokke' })
export class KlokkeDto {
  @ApiProperty({ type: String, format: 'date-time', description: 'What time it is' })
  tidspunkt: string;

  @ApiProperty({ type: String, format: 'date', description: 'What day it is in Oslo' })
  dato: string;
}

@ApiSchema({ name: 'Alder' })
export class AlderDto {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'How old the data is now, in seconds; it ages from there. 0: as new as it can be, and stays so',
    example: 3_600,
  })
  @IsInt()
  @Min(0)
  @Max(MAX_AGE_SECONDS)
  alderSekunder: number;
}

@ApiSchema({ name: 'Feil', description: 'At least one of status, forsinkelseMs and bruddEtterByte' })
export class FeilDto {
  @ApiPropertyOptional({
    type: String,
    description: 'An operationId of the query-api; all unless told',
    example: 'sokAvtaler',
  })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  operasjon?: string;

  @ApiPropertyOptional({
    type: 'integer',
    enum: FAULT_STATUSES,
    description: 'What is answered instead, as the product answers it',
    example: 503,
  })
  @IsOptional()
  @IsIn(FAULT_STATUSES)
  status?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 600,
    description: '`Retry-After` of 429 and 503; 1 unless told',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(600)
  retryAfter?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 120_000,
    description: 'So long nothing is answered, ms',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(120_000)
  forsinkelseMs?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'So many bytes of the body are answered, and then the connection breaks: an export that is cut off',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(2 ** 30)
  bruddEtterByte?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    default: 1,
    description: 'Calls that it befalls',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  antall?: number;
}

@ApiSchema({ name: 'Feilliste' })
export class FeillisteDto {
  @ApiProperty({ type: [FeilDto], description: 'What is still to go wrong, in order' })
  feil: FeilDto[];
}

@ApiSchema({ name: 'OppslagValg' })
export class OppslagvalgDto {
  @ApiPropertyOptional({ type: String, description: 'Of this consumer' })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  konsument?: string;

  @ApiPropertyOptional({ type: String, description: 'Of this operation' })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  operasjon?: string;

  @ApiPropertyOptional({ type: String, description: 'With this `Nav-Call-Id`' })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  callId?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1_000,
    default: 1_000,
    description: 'At most so many, the last ones',
  })
  @IsOptional()
  @IntegerParam()
  @IsInt()
  @Min(1)
  @Max(1_000)
  antall?: number;
}

@ApiSchema({ name: 'Oppslag' })
export class OppslagDto {
  @ApiProperty({ type: String, format: 'date-time', description: 'When' })
  tidspunkt: string;

  @ApiProperty({ description: 'Who, by the registry of consumers' })
  konsument: string;

  @ApiProperty({ type: String, nullable: true, description: 'The purpose' })
  behandlingsgrunnlag: string | null;

  @ApiProperty({ description: 'What was asked' })
  operasjon: string;

  @ApiProperty({ type: [String], description: 'Which fields were read' })
  felter: string[];

  @ApiProperty({ type: [String], description: 'Of whom, as the audit has it: opaque ids' })
  deltakere: string[];

  @ApiProperty({ type: [String], description: 'Which of these were planted here, as idents' })
  identer: string[];

  @ApiProperty({ type: 'integer', nullable: true, description: 'How many were found' })
  antallTreff: number | null;

  @ApiProperty({ description: 'Whether it was allowed' })
  tillatt: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'Why not: a code of the catalogue of errors' })
  avslag: string | null;

  @ApiProperty({ description: '`Nav-Call-Id` of the call' })
  callId: string;

  @ApiProperty({ type: 'integer', description: 'Refusals that the line stands for' })
  antallKall: number;
}

@ApiSchema({ name: 'Oppslagsliste' })
export class OppslagslisteDto {
  @ApiProperty({ type: [OppslagDto], description: 'In the order in which they were made' })
  oppslag: OppslagDto[];
}
