import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { SEEN } from '../audit/who-has-seen.ts';

const HOW = Object.keys(SEEN) as (keyof typeof SEEN)[];
const DAY = /^\d{4}-\d\d-\d\d$/;
const PERSON = /^(\d{11}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

export const REPORT_FORMS = ['PDF', 'JSON'] as const;

@ApiSchema({ name: 'HvemHarSettSporring' })
export class AskDto {
  @ApiProperty({ description: 'National ident, eleven digits, or the opaque id (deltakerId)' })
  @Matches(PERSON, { message: 'must be a national ident of eleven digits, or a deltakerId' })
  person: string;

  @ApiProperty({
    minLength: 10,
    maxLength: 1_000,
    description: 'Why the audit is read, without a national ident. It is kept before anything is read',
  })
  @IsString()
  @MaxLength(2_000)
  begrunnelse: string;

  @ApiPropertyOptional({ format: 'date', description: 'First day, UTC, included' })
  @IsOptional()
  @Matches(DAY, { message: 'must be a day, YYYY-MM-DD' })
  fra?: string;

  @ApiPropertyOptional({ format: 'date', description: 'Last day, included' })
  @IsOptional()
  @Matches(DAY, { message: 'must be a day, YYYY-MM-DD' })
  til?: string;
}

@ApiSchema({ name: 'OppslagSporring' })
export class AskSeenDto extends AskDto {
  @ApiPropertyOptional({ maxLength: 100, description: 'Only this consumer, by its name in the registry' })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  konsument?: string;
}

@ApiSchema({ name: 'InnsynSporring' })
export class AskReportDto extends AskDto {
  @ApiProperty({ enum: REPORT_FORMS })
  @IsIn(REPORT_FORMS)
  form: (typeof REPORT_FORMS)[number];
}

const Organisations = (): PropertyDecorator =>
  ApiProperty({
    type: [String],
    nullable: true,
    description:
      'Organisation numbers of who asked from outside of Nav: its own, and that of the supplier that asked on its behalf',
  });

@ApiSchema({ name: 'Oppslagsgruppe' })
export class SeenGroupDto {
  @ApiProperty({ description: 'By its name in the registry' })
  konsument: string;
  @Organisations()
  organisasjoner: string[] | null;
  @ApiProperty({
    description: 'As people call it; its name where neither the registry nor the products for analysis know it',
  })
  visningsnavn: string;
  @ApiProperty({ type: 'string', nullable: true })
  behandlingsgrunnlag: string | null;
  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'What the purpose is, as the registry, or the products for analysis, say it now',
  })
  formaal: string | null;
  @ApiProperty({ description: 'operationId' })
  operasjon: string;
  @ApiProperty({ enum: HOW, enumName: 'Hvordan' })
  hvordan: keyof typeof SEEN;
  @ApiProperty({ type: 'integer' })
  antall: number;
  @ApiProperty({ format: 'date-time' })
  forste: string;
  @ApiProperty({ format: 'date-time' })
  siste: string;
}

@ApiSchema({ name: 'SettOppslag' })
export class SeenLookupDto {
  @ApiProperty({ format: 'date-time' })
  tidspunkt: string;
  @ApiProperty()
  konsument: string;
  @Organisations()
  organisasjoner: string[] | null;
  @ApiProperty({ type: 'string', nullable: true })
  behandlingsgrunnlag: string | null;
  @ApiProperty()
  operasjon: string;
  @ApiProperty({ type: [String], description: 'That the answer could have' })
  felter: string[];
  @ApiProperty({ enum: HOW, enumName: 'Hvordan' })
  hvordan: keyof typeof SEEN;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'What an answer of many was of; null when it was of persons',
  })
  utvalg: Record<string, unknown> | null;
  @ApiProperty({ type: 'integer', nullable: true })
  antallTreff: number | null;
  @ApiProperty()
  callId: string;
}

@ApiSchema({ name: 'ManglendeMaaned' })
export class LostMonthDto {
  @ApiProperty({ example: '202501', description: 'YYYYMM' })
  maaned: string;
  @ApiProperty({ description: 'It may also hold all that was before it' })
  ogTidligere: boolean;
}

@ApiSchema({ name: 'HvemHarSett' })
export class SeenAnswerDto {
  @ApiProperty({ format: 'uuid' })
  deltakerId: string;
  @ApiProperty({ type: 'integer', description: 'All that were found, those that are not in `oppslag` too' })
  antall: number;
  @ApiProperty({ type: [SeenGroupDto], description: 'All of them, summed up; those with the last look-up first' })
  grupper: SeenGroupDto[];
  @ApiProperty({ type: [SeenLookupDto], description: 'The last 500, newest first: for others, ask for fewer days' })
  oppslag: SeenLookupDto[];
  @ApiProperty({
    type: [LostMonthDto],
    description: 'Months that are asked for, and that nothing is known of any more',
  })
  ukjenteMaaneder: LostMonthDto[];
}
